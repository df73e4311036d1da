#ifndef LMD_WORKSPACE_H
#define LMD_WORKSPACE_H

#include <stdint.h>

enum {
  /** Terms in one panel, in words of 32 bits: a panel of B stays in the first-level cache. */
  BLOCK_TERMS = 256,
  /** Words from one row of codes of A to the next: more than its terms, so that rows do not share places in a cache. */
  ROW_WORDS = BLOCK_TERMS + 16,
  /** Rows of A packed at once, a multiple of every tile's: they stay in the second-level cache. */
  BLOCK_ROWS = 240,
  /** Columns of B packed at once, at most. */
  BLOCK_COLUMNS = 1024,
  /** Blocks with a scale in one panel, at most. */
  BLOCK_SCALES = 64,
  /** Elements of a block with a scale, at most. */
  MOST_BLOCK = 256,
  /** Weights that are drawn or updated at once: they stay in the first-level cache. */
  WEIGHT_BLOCK = 1024,
  /** Elements of a tile, at most. */
  MOST_TILE = 512,
  /** Lines of a panel, at most. */
  MOST_LINES = 64,
};

/** The least and largest scales of a panel, with the unit: whether its products may leave the normal numbers. */
typedef struct {
  float least, largest;
} range;

/** What kernels use between their operands, for each thread one. */
typedef struct {
  float packed_a[BLOCK_ROWS * ROW_WORDS], packed_b[BLOCK_COLUMNS * BLOCK_TERMS];
  float scales_a[BLOCK_ROWS * BLOCK_SCALES], scales_b[BLOCK_COLUMNS * BLOCK_SCALES];
  range ranges_a[BLOCK_ROWS], ranges_b[BLOCK_COLUMNS];
  /** Excess of products of offset codes, to be subtracted. */
  int32_t corrections[BLOCK_COLUMNS * BLOCK_SCALES];
  /** A tile of results, aside. */
  float edge[MOST_TILE];
  /** Codes of a panel, widened. */
  int16_t widened[MOST_LINES * BLOCK_TERMS * 2];
  /** Random numbers and gradients of both halves of a block of weights. */
  float noise_plus[WEIGHT_BLOCK], noise_minus[WEIGHT_BLOCK], gradient_plus[WEIGHT_BLOCK], gradient_minus[WEIGHT_BLOCK];
} workspace;

#endif
