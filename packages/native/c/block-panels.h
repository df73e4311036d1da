// Panels of the codes of encoded operands: words of two or four, in the order in which the innermost loop reads them.

/** Codes in a word. */
static inline int group_of(int wide) { return wide ? 2 : 4; }

/** Words of `lines` rows from element `start` on: target[word][line], `width` words apart; missing lines are zeros. */
static void pack_codes(const block_operand *x, ptrdiff_t row, ptrdiff_t lines, ptrdiff_t start, ptrdiff_t words,
                       ptrdiff_t width, int wide, int16_t *widened, float *target) {
  const uint8_t *from = x->codes + row * row_bytes(x) + (start << x->wide);
  if (x->wide == wide) {
    PACK_PANEL((const float *)from, row_bytes(x) / 4, 1, lines, words, width, target);
    return;
  }
  for (ptrdiff_t line = 0; line < lines; line++) {
    const int8_t *codes = (const int8_t *)(from + line * row_bytes(x));
    int16_t *to = widened + line * 2 * words;
    ptrdiff_t i = 0;
    for (; i + 16 <= 2 * words; i += 16) widen_sixteen(codes + i, to + i);
    for (; i < 2 * words; i++) to[i] = codes[i];
  }
  PACK_PANEL((const float *)widened, words, 1, lines, words, width, target);
}

/** Adds 128 to every code. */
static void offset_codes(float *words, ptrdiff_t count) {
  uint32_t *bits = (uint32_t *)words;
  for (ptrdiff_t i = 0; i < count; i++) bits[i] ^= 0x80808080u;
}
