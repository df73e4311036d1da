// Panels of encoded operands: words of two or four codes, in the order in which the innermost loop reads them, and a scale for each block
// and line.

/** The least and largest scales of a panel, with the unit: whether its products may leave the normal numbers. */
typedef struct {
  float least, largest;
} range;

/** Codes in a word. */
static inline int group_of(int wide) { return wide ? 2 : 4; }

/** Words of `lines` rows from element `start` on: target[word][line], `width` words apart; missing lines are zeros. */
static void pack_codes(const block_operand *x, ptrdiff_t row, ptrdiff_t lines, ptrdiff_t start, ptrdiff_t words, ptrdiff_t width,
                       int wide, int16_t *widened, float *target) {
  const uint8_t *from = x->codes + row * row_bytes(x) + (start << x->wide);
  if (x->wide == wide) {
    pack_panel((const float *)from, row_bytes(x) / 4, 1, lines, words, width, target);
    return;
  }
  for (ptrdiff_t line = 0; line < lines; line++) {
    const int8_t *codes = (const int8_t *)(from + line * row_bytes(x));
    int16_t *to = widened + line * 2 * words;
    ptrdiff_t i = 0;
    for (; i + 16 <= 2 * words; i += 16) widen_sixteen(codes + i, to + i);
    for (; i < 2 * words; i++) to[i] = codes[i];
  }
  pack_panel((const float *)widened, words, 1, lines, words, width, target);
}

/** Adds 128 to every code. */
static void offset_codes(float *words, ptrdiff_t count) {
  uint32_t *bits = (uint32_t *)words;
  for (ptrdiff_t i = 0; i < count; i++) bits[i] ^= 0x80808080u;
}

static int is_zero_block(const block_operand *x, ptrdiff_t row, ptrdiff_t block) {
  const ptrdiff_t first = block * x->block_size << x->wide, end = first + (x->block_size << x->wide);
  const uint8_t *codes = x->codes + row * row_bytes(x);
  for (ptrdiff_t i = first; i < end && i < row_bytes(x); i++) {
    if (codes[i] != 0) return 0;
  }
  return 1;
}

/**
 * The scales of `lines` rows and `blocks` blocks of `size` elements from element `start` on: target[block][line], `width` apart, 1 for
 * missing lines. What a block of zeros is multiplied by means nothing: where it could leave the normal numbers, it is 1.
 */
static range pack_scales(const block_operand *x, ptrdiff_t row, ptrdiff_t lines, ptrdiff_t start, ptrdiff_t blocks, ptrdiff_t size,
                         ptrdiff_t width, float *target) {
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

/**
 * Whether all terms and sums of two panels are normal numbers, or zeros: they are multiples of 2^-126, as each factor on the way to a
 * term is.
 */
static int stays_normal(range a, range b, double rest) {
  const double least = (double)a.least * b.least, largest = (double)a.largest * b.largest;
  return rest == 1 && a.least >= 0x1p-126 && b.least >= 0x1p-126 && least >= 0x1p-126 && largest <= 0x1p103;
}
