// Exact products of blocks, driven: what is packed and multiplied when, for the tiles of any level.
#ifndef LMD_BLOCK_DRIVER_H
#define LMD_BLOCK_DRIVER_H

#include "block-matmul.h"

/**
 * A panel of A, rows of codes ROW_WORDS apart and of scales BLOCK_SCALES apart; and one of B, a tile's columns word by
 * word, and their scales block by block.
 */
typedef struct {
  const int32_t *a, *b;
  const float *scales_a, *scales_b;
  const int32_t *corrections;
  /** Words of a row, blocks, and the words of one; the last may be short. */
  ptrdiff_t words, blocks, groups;
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
  void (*pack_corrections)(const float *codes, ptrdiff_t words, ptrdiff_t groups, int32_t *target);
  /** A tile; or `rows` rows less high, where numbers may leave the normal ones. */
  void (*multiply_narrow)(const block_panels *from, float *out, ptrdiff_t stride, ptrdiff_t rows);
  void (*multiply_wide)(const block_panels *from, float *out, ptrdiff_t stride, ptrdiff_t rows);
} block_kernel;

void multiply_blocks(const block_kernel *kernel, const block_task *task, workspace *space);

#endif
