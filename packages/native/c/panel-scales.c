#include "panel-scales.h"

#include "block-scales.h"

static int is_zero_block(const block_operand *x, ptrdiff_t row, ptrdiff_t block) {
  const ptrdiff_t first = block * x->block_size << x->wide, end = first + (x->block_size << x->wide);
  const uint8_t *codes = x->codes + row * row_bytes(x);
  for (ptrdiff_t i = first; i < end && i < row_bytes(x); i++) {
    if (codes[i] != 0) return 0;
  }
  return 1;
}

range pack_scales(const block_operand *x, ptrdiff_t row, ptrdiff_t lines, ptrdiff_t start, ptrdiff_t blocks,
                  ptrdiff_t size, ptrdiff_t width, float *target) {
  // Scales of E4M3 are multiples of 2^-9.
  range found = x->float_scales ? (range){x->unit / 512, x->unit * 448} : (range){1, 1};
  for (ptrdiff_t line = 0; line < width; line++) {
    for (ptrdiff_t b = 0; b < blocks; b++) {
      float scale = 1;
      if (line < lines) {
        const ptrdiff_t own = (start + b * size) / x->block_size, place = (row + line) * scales_of_row(x) + own;
        scale = scale_at(x, place);
        if (!x->float_scales) {
          const uint8_t byte = ((const uint8_t *)x->scales)[place];
          if ((byte < 80 || (byte > 170 && byte < 255)) && is_zero_block(x, row + line, own)) scale = 1;
          if (scale < found.least) found.least = scale;
          if (scale > found.largest) found.largest = scale;
        }
      }
      target[b * width + line] = scale;
    }
  }
  return found;
}

void add_sums_limited(const int32_t *sums, float scale_a, const float *scales_b, float *out, int columns, double rest) {
  for (int j = 0; j < columns; j++) out[j] = add_limited(out[j], sums[j], (double)scale_a * scales_b[j] * rest);
}
