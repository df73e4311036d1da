// Copies blocks of an operand into panels, in the order in which the innermost loop reads them, whichever way they are stored.

/**
 * One panel: `lines` lines of `terms` terms to target[term][line], `width` floats a term; missing lines are zeros. Line l, term t is at
 * source[l·line_stride + t·term_stride], and one of the strides is 1.
 */
static void pack_panel(const float *source, ptrdiff_t line_stride, ptrdiff_t term_stride, ptrdiff_t lines, ptrdiff_t terms,
                       ptrdiff_t width, float *target) {
  ptrdiff_t line = 0;
  if (line_stride == 1) {
    for (; line + LANES <= lines; line += LANES) {
      for (ptrdiff_t t = 0; t < terms; t++) store(target + t * width + line, load(source + t * term_stride + line));
    }
  } else {
    for (; line + TURNED <= lines; line += TURNED) {
      const float *from = source + line * line_stride;
      ptrdiff_t t = 0;
      for (; t + TURNED <= terms; t += TURNED) turn_block(from + t, line_stride, target + t * width + line, width);
      for (; t < terms; t++) {
        for (ptrdiff_t l = 0; l < TURNED; l++) target[t * width + line + l] = from[l * line_stride + t];
      }
    }
  }
  for (; line < lines; line++) {
    for (ptrdiff_t t = 0; t < terms; t++) target[t * width + line] = source[line * line_stride + t * term_stride];
  }
  for (; line < width; line++) {
    for (ptrdiff_t t = 0; t < terms; t++) target[t * width + line] = 0;
  }
}
