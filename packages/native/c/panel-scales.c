#include "panel-scales.h"

#include "block-scales.h"

/** E8M0 bytes with which no product of two leaves the normal numbers, whatever the units. */
enum { LEAST_USUAL = 80, LARGEST_USUAL = 170 };

static int is_usual(uint8_t byte) { return byte >= LEAST_USUAL && byte <= LARGEST_USUAL; }

static int is_zero_block(const block_operand *x, ptrdiff_t row, ptrdiff_t block) {
  const ptrdiff_t first = block * x->block_size << x->wide, end = first + (x->block_size << x->wide);
  const uint8_t *codes = x->codes + row * row_bytes(x);
  for (ptrdiff_t i = first; i < end && i < row_bytes(x); i++) {
    if (codes[i] != 0) return 0;
  }
  return 1;
}

static int32_t exponent_bits(float power_of_two) {
  int32_t bits;
  memcpy(&bits, &power_of_two, sizeof bits);
  return bits - 0x3f800000;
}

/** Scales of blocks that lie together, by their exponents alone; whether all bytes are usual ones, and it is right. */
static int pack_usual(const uint8_t *bytes, ptrdiff_t blocks, ptrdiff_t step, int32_t exponent, float *target) {
  int unusual = 0;
  for (ptrdiff_t b = 0; b < blocks; b++) {
    const int32_t bits = ((int32_t)bytes[b] << 23) + exponent;
    unusual |= !is_usual(bytes[b]);
    memcpy(target + b * step, &bits, sizeof bits);
  }
  return !unusual;
}

static void widen_range(range *found, float scale) {
  if (scale < found->least) found->least = scale;
  if (scale > found->largest) found->largest = scale;
}

range pack_scales(const block_operand *x, ptrdiff_t row, ptrdiff_t lines, ptrdiff_t start, ptrdiff_t blocks,
                  ptrdiff_t size, ptrdiff_t line_step, ptrdiff_t block_step, float *target) {
  // Scales of E4M3 are multiples of 2^-9.
  range found = x->float_scales ? (range){x->unit / 512, x->unit * 448} : (range){1, 1};
  const int plain = !x->float_scales && x->block_size == size;
  const int32_t exponent = exponent_bits(x->unit);
  for (ptrdiff_t line = row; line < row + lines; line++, target += line_step) {
    const ptrdiff_t first = line * scales_of_row(x);
    if (plain && pack_usual((const uint8_t *)x->scales + first + start / size, blocks, block_step, exponent, target)) {
      widen_range(&found, e8m0_scale(LEAST_USUAL) * x->unit);
      widen_range(&found, e8m0_scale(LARGEST_USUAL) * x->unit);
      continue;
    }
    for (ptrdiff_t b = 0; b < blocks; b++) {
      const ptrdiff_t own = (start + b * size) / x->block_size, place = first + own;
      float scale = scale_at(x, place);
      if (!x->float_scales) {
        const uint8_t byte = ((const uint8_t *)x->scales)[place];
        if (!is_usual(byte) && byte < 255 && is_zero_block(x, line, own)) scale = 1;
        widen_range(&found, scale);
      }
      target[b * block_step] = scale;
    }
  }
  return found;
}

void add_sums_limited(const int32_t *sums, float scale_a, const float *scales_b, float *out, int columns, double rest) {
  for (int j = 0; j < columns; j++) out[j] = add_limited(out[j], sums[j], (double)scale_a * scales_b[j] * rest);
}
