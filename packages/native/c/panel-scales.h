// Panels of the scales of encoded operands, a scale for each block and line, and sums that they take out of the normal
// numbers. In plain C, for all levels.
#ifndef LMD_PANEL_SCALES_H
#define LMD_PANEL_SCALES_H

#include "block-matmul.h"

/**
 * The scales of `lines` rows and `blocks` blocks of `size` elements from element `start` on: target[line·line_step +
 * block·block_step]. What a block of zeros is multiplied by means nothing: where it could leave the normal numbers, it
 * is 1. The range has all of them, and may be wider.
 */
range pack_scales(const block_operand *x, ptrdiff_t row, ptrdiff_t lines, ptrdiff_t start, ptrdiff_t blocks,
                  ptrdiff_t size, ptrdiff_t line_step, ptrdiff_t block_step, float *target);

/**
 * Whether all terms and sums of two panels are normal numbers, or zeros: they are multiples of 2^-126, as each factor
 * on the way to a term is.
 */
static inline int stays_normal(range a, range b, double rest) {
  const double least = (double)a.least * b.least, largest = (double)a.largest * b.largest;
  return rest == 1 && a.least >= 0x1p-126 && b.least >= 0x1p-126 && least >= 0x1p-126 && largest <= 0x1p103;
}

/**
 * out += sums·scales·rest for `columns` columns of one row, where numbers may be none of the normal ones: the row has a
 * scale, and each column.
 */
void add_sums_limited(const int32_t *sums, float scale_a, const float *scales_b, float *out, int columns, double rest);

#endif
