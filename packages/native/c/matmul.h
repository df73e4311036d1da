#ifndef LMD_MATMUL_H
#define LMD_MATMUL_H

#include <stddef.h>

#include "workspace.h"

/**
 * Products [m, k]·[k, n] of f32, matrices stored by rows; a transposed operand is stored [k, m] or [n, k]. Strides are
 * elements between the matrices of a batch, 0 for one that all share. `from` to `to` count parts of the results:
 * matrix, then `part_rows` rows, then `part_columns` columns.
 *
 * An element of a result is one chain of multiply-adds over the terms in ascending order, from 0: y ← a·b + y, rounded
 * once (`fused`) or twice. So its bits depend neither on the tile, nor on the blocks, nor on the parts. One row times a
 * transposed matrix is the exception: it is summed in eight lanes, see `row-products.h`.
 */
typedef struct {
  ptrdiff_t from, to;
  const float *a, *b;
  float *out;
  ptrdiff_t m, k, n;
  int transpose_a, transpose_b;
  ptrdiff_t stride_a, stride_b;
  ptrdiff_t part_rows, part_columns;
  int fused;
  /** Of one row alone: whether the product with a matrix that is not transposed is added to `out`. */
  int accumulate;
} matmul_task;

#endif
