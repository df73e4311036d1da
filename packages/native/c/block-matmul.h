#ifndef LMD_BLOCK_MATMUL_H
#define LMD_BLOCK_MATMUL_H

#include <stddef.h>
#include <stdint.h>

#include "workspace.h"

/**
 * An operand in blocks that share a scale, as `BlockProductKernels` of @lmd/core defines it: integers q by rows, filled
 * up with zeros to a multiple of 16; a row for each row of A, or column of the result.
 */
typedef struct {
  /** i8, or i16 where `wide`. */
  const uint8_t *codes;
  /** E8M0 bytes, or f32 where `float_scales`: [batch, rows, blocks]. */
  const void *scales;
  ptrdiff_t rows, terms, block_size;
  int wide, float_scales;
  /** Whether all matrices of a batch are one. */
  int shared;
  /**
   * A power of two that scales are multiplied by; `rest` of the task has what is left of the units of both operands.
   */
  float unit;
} block_operand;

/**
 * Products [batch, m, terms] · [batch, n, terms]ᵀ. For the blocks in ascending order, from y = +0,
 *
 *   t = scale_a·scale_b·(the units of both)·Σ q_a·q_b, ±Infinity where |t| ≥ 2^128, 0 where |t| < 2^-126
 *   y ← y + t, rounded once, and +0 where |y| < 2^-126
 *
 * All that is rounded is that sum, so that the order within a block, tiles and parts do not change the bits. A scale of
 * NaN makes its row or column NaN. `from` to `to` count parts of the results, as those of `matmul_task`.
 */
typedef struct {
  ptrdiff_t from, to;
  block_operand a, b;
  float *out;
  /** The smaller of the block sizes, which divides the other. */
  ptrdiff_t block_size;
  ptrdiff_t part_rows, part_columns;
  double rest;
} block_task;

static inline ptrdiff_t row_bytes(const block_operand *x) { return ((x->terms + 15) / 16 * 16) << x->wide; }
static inline ptrdiff_t scales_of_row(const block_operand *x) { return (x->terms + x->block_size - 1) / x->block_size; }

/** By the definition, one element after another: for block sizes that are no whole words of codes. */
void block_matmul_plain(const block_task *task);

#endif
