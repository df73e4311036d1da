// Exact products of blocks: integers within a block, f32 across blocks; see `block-matmul.h`. As the products of f32,
// but that a term is a word of two or four codes.
#include <string.h>

#include "kernel.h"

#include "block-panels.h"
#include "panel-scales.h"

/** A panel of A and one of B; rows of A are `a_step` words apart from one group to the next, those of B `width`. */
typedef struct {
  const int32_t *a, *b;
  const float *scales_a, *scales_b;
  const int32_t *corrections;
  ptrdiff_t a_step, width;
  /** Blocks, and the words of one; the last may be short. */
  ptrdiff_t blocks, groups, last_groups;
  /** Whether nothing leaves the normal numbers; else each term is also multiplied by `rest`. */
  int normal;
  double rest;
} block_panels;

static inline ALWAYS_INLINE ints dot(ints sums, ints a, ints b, int wide) {
  return wide ? dot_wide(sums, a, b) : dot_narrow(sums, a, b);
}

/** Sums of one block for a tile, in memory. */
typedef struct {
  int32_t sum[TILE_ROWS * TILE_COLUMNS];
} block_sums;

/** out += sums·scales for a tile of `columns` columns: each row has a scale, and each column. */
static NEVER_INLINE void add_sums(const block_sums *sums, const float *scales_a, const float *scales_b, float *out,
                                  ptrdiff_t stride, int rows, int columns) {
  for (int i = 0; i < rows; i++, out += stride) {
    const int32_t *sum = sums->sum + i * TILE_COLUMNS;
    const floats left = splat(scales_a[i]);
    int j = 0;
    // A sum times both scales is exact: fused or not, the bits are the same.
    for (; j + LANES <= columns; j += LANES) {
      store(out + j,
            multiply_then_add(to_floats(load_ints(sum + j)), multiply(left, load(scales_b + j)), load(out + j)));
    }
    if (j < columns) {
      const floats scale = multiply(left, load(scales_b + j)), before = load_first(out + j, columns - j);
      store_first(out + j, multiply_then_add(to_floats(load_ints(sum + j)), scale, before), columns - j);
    }
  }
}

/** One tile: out += panel of A · panel of B. `rows`, `vectors` and `wide` are constants wherever this is inlined. */
static inline ALWAYS_INLINE void block_tile(block_panels from, float *out, ptrdiff_t stride, int rows, int vectors,
                                            int columns, int wide) {
  const int32_t *a = from.a, *b = from.b;
  for (ptrdiff_t block = 0; block < from.blocks; block++) {
    ints sums[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) {
      const ints start = OFFSET && !wide ? load_ints(from.corrections + block * from.width + v * LANES) : splat_ints(0);
      UNROLL for (int i = 0; i < rows; i++) sums[i][v] = start;
    }
    const ptrdiff_t groups = block == from.blocks - 1 ? from.last_groups : from.groups;
    for (ptrdiff_t group = 0; group < groups; group++, a += from.a_step, b += from.width) {
      ints right[TILE_VECTORS];
      UNROLL for (int v = 0; v < vectors; v++) right[v] = load_ints(b + v * LANES);
      UNROLL for (int i = 0; i < rows; i++) {
        const ints left = splat_ints(a[i]);
        UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = dot(sums[i][v], left, right[v], wide);
      }
    }
    // Through memory, which costs less than registers that sums and floats would have to share.
    block_sums memory;
    UNROLL for (int i = 0; i < rows; i++) {
      UNROLL for (int v = 0; v < vectors; v++) store_ints(memory.sum + i * TILE_COLUMNS + v * LANES, sums[i][v]);
    }
    const float *scales_a = from.scales_a + block * from.a_step, *scales_b = from.scales_b + block * from.width;
    if (from.normal) add_sums(&memory, scales_a, scales_b, out, stride, rows, columns);
    else add_sums_limited(memory.sum, TILE_COLUMNS, scales_a, scales_b, out, stride, rows, columns, from.rest);
  }
}

/** A panel's tile, or where rows are missing smaller ones. */
static inline ALWAYS_INLINE void block_tiles(block_panels from, float *out, ptrdiff_t stride, ptrdiff_t rows,
                                             int vectors, int columns, int wide) {
  if (TILE_ROWS == 1 || rows == TILE_ROWS) {
    block_tile(from, out, stride, TILE_ROWS, vectors, columns, wide);
    return;
  }
  for (; rows >= 4; rows -= 4, from.a += 4, from.scales_a += 4, out += 4 * stride) {
    block_tile(from, out, stride, 4, vectors, columns, wide);
  }
  for (; rows > 0; rows--, from.a++, from.scales_a++, out += stride)
    block_tile(from, out, stride, 1, vectors, columns, wide);
}

static inline ALWAYS_INLINE void multiply_blocks_as(block_panels from, float *out, ptrdiff_t stride, ptrdiff_t rows,
                                                    int columns, int wide) {
  switch ((columns + LANES - 1) / LANES) {
    case 1: block_tiles(from, out, stride, rows, 1, columns, wide); break;
#if TILE_VECTORS > 2
    case 2: block_tiles(from, out, stride, rows, 2, columns, wide); break;
#endif
    default: block_tiles(from, out, stride, rows, TILE_VECTORS, columns, wide);
  }
}

static NEVER_INLINE void multiply_narrow(const block_panels *from, float *out, ptrdiff_t stride, ptrdiff_t rows,
                                         int columns) {
  multiply_blocks_as(*from, out, stride, rows, columns, 0);
}
static NEVER_INLINE void multiply_wide_codes(const block_panels *from, float *out, ptrdiff_t stride, ptrdiff_t rows,
                                             int columns) {
  multiply_blocks_as(*from, out, stride, rows, columns, 1);
}

/** Excess of sums of offset codes of A, for each block and column. */
static void pack_corrections(const float *words, ptrdiff_t width, ptrdiff_t blocks, ptrdiff_t groups,
                             ptrdiff_t last_groups, int32_t *target) {
  const ints ones = splat_ints(0x01010101);
  for (ptrdiff_t block = 0; block < blocks; block++) {
    const ptrdiff_t count = block == blocks - 1 ? last_groups : groups;
    for (ptrdiff_t line = 0; line < width; line += LANES) {
      ints sum = splat_ints(0);
      for (ptrdiff_t g = 0; g < count; g++)
        sum = dot_narrow(sum, ones, load_ints(words + (block * groups + g) * width + line));
      store_ints(target + block * width + line, correction_of(sum));
    }
  }
}

/**
 * Rows `top` to `bottom` and columns `left` to `right` of a product of matrices that begin with rows `first_a` and
 * `first_b`.
 */
static void multiply_blocks_part(const block_task *task, ptrdiff_t first_a, ptrdiff_t first_b, float *out,
                                 ptrdiff_t top, ptrdiff_t bottom, ptrdiff_t left, ptrdiff_t right, workspace *space,
                                 int wide) {
  enum { WIDE = BLOCK_COLUMNS / TILE_COLUMNS * TILE_COLUMNS };
  const block_operand *a = &task->a, *b = &task->b;
  void (*const multiply_blocks)(const block_panels *, float *, ptrdiff_t, ptrdiff_t, int) =
      wide || !NARROW ? multiply_wide_codes : multiply_narrow;
  const ptrdiff_t stride = b->rows, group = group_of(wide), size = task->block_size;
  const ptrdiff_t most_blocks = least(BLOCK_SCALES, BLOCK_TERMS * group / size), groups = size / group;
  range *const ranges_a = space->ranges_a, *const ranges_b = space->ranges_b;
  for (ptrdiff_t row = top; row < bottom; row++)
    memset(out + row * stride + left, 0, (size_t)(right - left) * sizeof *out);
  for (ptrdiff_t first = left; first < right; first += WIDE) {
    const ptrdiff_t columns = least(WIDE, right - first);
    for (ptrdiff_t start = 0; start < a->terms; start += most_blocks * size) {
      const ptrdiff_t terms = least(most_blocks * size, a->terms - start), blocks = (terms + size - 1) / size;
      const ptrdiff_t words = (terms + group - 1) / group;
      block_panels from = {
          .blocks = blocks, .groups = groups, .last_groups = words - (blocks - 1) * groups, .rest = task->rest};
      for (ptrdiff_t row = top; row < bottom; row += BLOCK_ROWS) {
        const ptrdiff_t rows = least(BLOCK_ROWS, bottom - row);
        for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
          const ptrdiff_t high = least(TILE_ROWS, rows - i), line = first_a + row + i;
          float *packed = space->packed_a + i * words;
          pack_codes(a, line, high, start, words, high, wide, space->widened, packed);
          if (OFFSET && !wide) offset_codes(packed, words * high);
          ranges_a[i / TILE_ROWS] = pack_scales(a, line, high, start, blocks, size, high, space->scales_a + i * blocks);
        }
        for (ptrdiff_t j = 0; j < columns; j += TILE_COLUMNS) {
          const ptrdiff_t columns_here = least(TILE_COLUMNS, columns - j);
          const ptrdiff_t width = (columns_here + LANES - 1) / LANES * LANES, line = first_b + first + j;
          float *packed = space->packed_b + j * words, *scales = space->scales_b + j * blocks;
          int32_t *corrections = space->corrections + j * blocks;
          range *range_b = &ranges_b[j / TILE_COLUMNS];
          if (row == top) {
            pack_codes(b, line, columns_here, start, words, width, wide, space->widened, packed);
            if (OFFSET && !wide) pack_corrections(packed, width, blocks, groups, from.last_groups, corrections);
            *range_b = pack_scales(b, line, columns_here, start, blocks, size, width, scales);
          }
          from.b = (const int32_t *)packed, from.scales_b = scales, from.corrections = corrections, from.width = width;
          for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
            from.a = (const int32_t *)(space->packed_a + i * words), from.scales_a = space->scales_a + i * blocks;
            from.a_step = least(TILE_ROWS, rows - i),
            from.normal = stays_normal(ranges_a[i / TILE_ROWS], *range_b, task->rest);
            multiply_blocks(&from, out + (row + i) * stride + first + j, stride, from.a_step, (int)columns_here);
          }
        }
      }
    }
  }
}

static void block_matmul_as(const block_task *task, workspace *space, int wide) {
  const ptrdiff_t m = task->a.rows, n = task->b.rows;
  const ptrdiff_t across = (n + task->part_columns - 1) / task->part_columns;
  const ptrdiff_t down = (m + task->part_rows - 1) / task->part_rows;
  for (ptrdiff_t part = task->from; part < task->to; part++) {
    const ptrdiff_t index = part / (across * down);
    const ptrdiff_t top = part / across % down * task->part_rows, left = part % across * task->part_columns;
    const ptrdiff_t bottom = least(m, top + task->part_rows), right = least(n, left + task->part_columns);
    const ptrdiff_t first_a = task->a.shared ? 0 : index * m, first_b = task->b.shared ? 0 : index * n;
    float *out = task->out + index * m * n;
    multiply_blocks_part(task, first_a, first_b, out, top, bottom, left, right, space, wide);
  }
}

static void block_matmul(const block_task *task, workspace *space) {
  const int narrow = NARROW && !task->a.wide && !task->b.wide;
  if (narrow && task->block_size % 4 == 0) block_matmul_as(task, space, 0);
  else if (task->block_size % 2 == 0) block_matmul_as(task, space, 1);
  else block_matmul_plain(task);
}
