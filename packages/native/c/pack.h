// Copies blocks of an operand into panels, in the order in which the innermost loop reads them, whichever way they are
// stored.

/**
 * One panel: `lines` lines of `terms` terms to target[term][line], `width` floats a term; missing lines are zeros. Line
 * l, term t is at source[l·line_stride + t·term_stride], and one of the strides is 1.
 */
void PACK_PANEL(const float *source, ptrdiff_t line_stride, ptrdiff_t term_stride, ptrdiff_t lines, ptrdiff_t terms,
                ptrdiff_t width, float *target);

#ifndef PACKED_BY_OTHERS

typedef void turning(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width);

/** Transposes `lines` lines in square blocks by `turn`. */
static inline ALWAYS_INLINE void turn_lines(const float *source, ptrdiff_t stride, ptrdiff_t terms, float *target,
                                            ptrdiff_t width, int lines, turning *turn) {
  ptrdiff_t t = 0;
  for (; t + lines <= terms; t += lines) turn(source + t, stride, target + t * width, width);
  for (; t < terms; t++) {
    for (int l = 0; l < lines; l++) target[t * width + l] = source[l * stride + t];
  }
}

void PACK_PANEL(const float *source, ptrdiff_t line_stride, ptrdiff_t term_stride, ptrdiff_t lines, ptrdiff_t terms,
                ptrdiff_t width, float *target) {
  ptrdiff_t line = 0;
  if (line_stride == 1) {
    for (; line + LANES <= lines; line += LANES) {
      for (ptrdiff_t t = 0; t < terms; t++) store(target + t * width + line, load(source + t * term_stride + line));
    }
  } else {
    for (; line + TURNED <= lines; line += TURNED) {
      turn_lines(source + line * line_stride, line_stride, terms, target + line, width, TURNED, turn_block);
    }
    for (; line + 4 <= lines; line += 4) {
      turn_lines(source + line * line_stride, line_stride, terms, target + line, width, 4, turn_four);
    }
  }
  for (; line < lines; line++) {
    for (ptrdiff_t t = 0; t < terms; t++) target[t * width + line] = source[line * line_stride + t * term_stride];
  }
  for (; line < width; line++) {
    for (ptrdiff_t t = 0; t < terms; t++) target[t * width + line] = 0;
  }
}

#endif
