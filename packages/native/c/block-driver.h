// Exact products of blocks, driven: what is packed and multiplied when, for the tiles of any level.
#ifndef LMD_BLOCK_DRIVER_H
#define LMD_BLOCK_DRIVER_H

#include "block-matmul.h"

/** A panel of A and one of B; rows of A are `a_step` words apart from one group to the next, those of B a tile's. */
typedef struct {
  const int32_t *a, *b;
  const float *scales_a, *scales_b;
  const int32_t *corrections;
  ptrdiff_t a_step;
  /** Blocks, and the words of one; the last may be short. */
  ptrdiff_t blocks, groups, last_groups;
  /** Whether nothing leaves the normal numbers; else each term is also multiplied by `rest`. */
  int normal;
  /** Whether totals are added to those of the blocks before. */
  int accumulate;
  double rest;
} block_panels;

/** What a level adds. A term is a word of two codes, or of four in the narrow products. */
typedef struct {
  ptrdiff_t tile_rows, tile_columns;
  /** Whether codes of one byte are multiplied; else they are widened to two. */
  int narrow;
  /** As PACK_PANEL of `pack.h`. */
  void (*pack_panel)(const float *source, ptrdiff_t line_stride, ptrdiff_t term_stride, ptrdiff_t lines,
                     ptrdiff_t terms, ptrdiff_t width, float *target);
  /** What sums are too large by, where bytes of A have no sign, to which 128 was added; else NULL. */
  void (*pack_corrections)(const float *words, ptrdiff_t blocks, ptrdiff_t groups, ptrdiff_t last_groups,
                           int32_t *target);
  /** Tiles of `rows` rows, at most a tile's. */
  void (*multiply_narrow)(const block_panels *from, float *out, ptrdiff_t stride, ptrdiff_t rows);
  void (*multiply_wide)(const block_panels *from, float *out, ptrdiff_t stride, ptrdiff_t rows);
} block_kernel;

void multiply_blocks(const block_kernel *kernel, const block_task *task, workspace *space);

#endif
