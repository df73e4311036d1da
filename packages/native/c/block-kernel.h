// The tiles of exact products of blocks: integers within a block, f32 across blocks; see `block-matmul.h`.
#include <string.h>

#include "kernel.h"

#include "block-driver.h"
#include "panel-scales.h"

static inline ALWAYS_INLINE ints dot(ints sums, ints a, ints b, int wide) {
  return wide ? dot_wide(sums, a, b) : dot_narrow(sums, a, b);
}

/** One vector of results of a row: `before` plus the sums of a block, times both scales. */
static inline ALWAYS_INLINE floats add_sums(ints sums, float scale_a, floats scale_b, floats before) {
  // A sum times both scales is exact: fused or not, the bits are the same.
  return multiply_then_add(to_floats(sums), multiply(splat(scale_a), scale_b), before);
}

/** The same for all columns of a tile, where numbers may be none of the normal ones. */
static NEVER_INLINE void add_limited_sums(const block_panels *from, const int32_t *sums, ptrdiff_t block, float *out) {
  if (block == 0 && !from->accumulate) memset(out, 0, TILE_COLUMNS * sizeof *out);
  add_sums_limited(sums, from->scales_a[block], from->scales_b + block * TILE_COLUMNS, out, TILE_COLUMNS, from->rest);
}

/**
 * One tile: out (rows `stride` floats apart) += panel of A · panel of B. `rows` and `wide` are constants wherever this
 * is inlined. Where there are registers for them, totals stay beside the sums of a block.
 */
static inline ALWAYS_INLINE void block_tile(block_panels from, float *out, ptrdiff_t stride, int rows, int wide) {
  const int32_t *a = from.a, *b = from.b;
  // Results are fetched while their sums are computed: processors see no pattern in lines that lie far apart.
  for (int i = 0; i < rows; i++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) __builtin_prefetch(out + i * stride + v * LANES, 1);
  }
  floats totals[TILE_ROWS][TILE_VECTORS];
  if (TOTALS_STAY) {
    UNROLL for (int i = 0; i < rows; i++) {
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) totals[i][v] =
          from.accumulate ? load(out + i * stride + v * LANES) : splat(0);
    }
  }
  for (ptrdiff_t block = 0; block < from.blocks; block++) {
    ints sums[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
      const ints start =
          OFFSET && !wide ? load_ints(from.corrections + block * TILE_COLUMNS + v * LANES) : splat_ints(0);
      UNROLL for (int i = 0; i < rows; i++) sums[i][v] = start;
    }
    for (ptrdiff_t left = least(from.groups, from.words - block * from.groups); left > 0; left--) {
      ints right[TILE_VECTORS];
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) right[v] = load_kept(b + v * LANES);
      UNROLL for (int i = 0; i < rows; i++) {
        const ints left = splat_ints(a[i * ROW_WORDS]);
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) sums[i][v] = dot(sums[i][v], left, right[v], wide);
      }
      a++, b += TILE_COLUMNS;
    }
    if (rows == 1 && !from.normal) {
      int32_t aside[TILE_COLUMNS];
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) store_ints(aside + v * LANES, sums[0][v]);
      add_limited_sums(&from, aside, block, out);
      continue;
    }
    const float *scales_a = from.scales_a + block, *scales_b = from.scales_b + block * TILE_COLUMNS;
    const int first = block == 0 && !from.accumulate;
    UNROLL for (int i = 0; i < rows; i++) {
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
        float *to = out + i * stride + v * LANES;
        const floats right = load(scales_b + v * LANES);
        if (TOTALS_STAY) totals[i][v] = add_sums(sums[i][v], scales_a[i * BLOCK_SCALES], right, totals[i][v]);
        else store(to, add_sums(sums[i][v], scales_a[i * BLOCK_SCALES], right, first ? splat(0) : load(to)));
      }
    }
  }
  if (!TOTALS_STAY || (rows == 1 && !from.normal)) return;
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) store(out + i * stride + v * LANES, totals[i][v]);
  }
}

/** Row by row where numbers may leave the normal ones. */
static inline ALWAYS_INLINE void block_tiles(block_panels from, float *out, ptrdiff_t stride, ptrdiff_t rows,
                                             int wide) {
  if (TILE_ROWS > 1 && from.normal && rows == TILE_ROWS) {
    block_tile(from, out, stride, TILE_ROWS, wide);
    return;
  }
  for (; rows > 0; rows--, from.a += ROW_WORDS, from.scales_a += BLOCK_SCALES, out += stride)
    block_tile(from, out, stride, 1, wide);
}

static NEVER_INLINE void multiply_narrow(const block_panels *from, float *out, ptrdiff_t stride, ptrdiff_t rows) {
  block_tiles(*from, out, stride, rows, 0);
}
static NEVER_INLINE void multiply_wide_codes(const block_panels *from, float *out, ptrdiff_t stride, ptrdiff_t rows) {
  block_tiles(*from, out, stride, rows, 1);
}

/** Excess of sums of offset codes of A, for each block and column. */
static NEVER_INLINE void pack_corrections(const float *codes, ptrdiff_t words, ptrdiff_t groups, int32_t *target) {
  const ints ones = splat_ints(0x01010101);
  for (ptrdiff_t first = 0; first < words; first += groups, target += TILE_COLUMNS) {
    const ptrdiff_t end = least(first + groups, words);
    for (ptrdiff_t line = 0; line < TILE_COLUMNS; line += LANES) {
      ints sum = splat_ints(0);
      for (ptrdiff_t word = first; word < end; word++)
        sum = dot_narrow(sum, ones, load_ints(codes + word * TILE_COLUMNS + line));
      store_ints(target + line, correction_of(sum));
    }
  }
}

static const block_kernel blocks_of_level = {
    .tile_rows = TILE_ROWS,
    .tile_columns = TILE_COLUMNS,
    .narrow = NARROW,
    .pack_panel = PACK_PANEL,
    .pack_corrections = OFFSET ? pack_corrections : NULL,
    .multiply_narrow = NARROW ? multiply_narrow : NULL,
    .multiply_wide = multiply_wide_codes,
};

static void block_matmul(const block_task *task, workspace *space) { multiply_blocks(&blocks_of_level, task, space); }
