// Matrix products of f32 after Goto and van de Geijn (ACM TOMS 34, 2008), for any width of vector.
#include <string.h>

#include "kernel.h"
#include "matmul.h"

static inline ALWAYS_INLINE floats multiply_add(floats a, floats b, floats c, int fused) {
  return fused ? fused_multiply_add(a, b, c) : multiply_then_add(a, b, c);
}

#include "row-products.h"

/** A panel of A and one of B, with the floats from one term to the next. */
typedef struct {
  const float *a, *b;
  ptrdiff_t a_step, b_step, terms;
} panels;

/**
 * One tile: out (rows `stride` floats apart) = or += panel of A · panel of B. `rows`, `vectors` and `fused` are
 * constants wherever this is inlined.
 */
static inline ALWAYS_INLINE void tile(panels from, float *out, ptrdiff_t stride, int rows, int vectors, int accumulate,
                                      int fused) {
  floats sums[TILE_ROWS][TILE_VECTORS];
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = accumulate ? load(out + i * stride + v * LANES) : splat(0);
  }
  const float *a = from.a, *b = from.b;
  for (ptrdiff_t t = from.terms; t > 0; t--, a += from.a_step, b += from.b_step) {
    floats right[TILE_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) right[v] = load(b + v * LANES);
    UNROLL for (int i = 0; i < rows; i++) {
      const floats left = splat(a[i]);
      UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(left, right[v], sums[i][v], fused);
    }
  }
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int v = 0; v < vectors; v++) store(out + i * stride + v * LANES, sums[i][v]);
  }
}

/** A panel's tile, or where rows are missing smaller ones. */
static inline ALWAYS_INLINE void tiles(panels from, float *out, ptrdiff_t stride, ptrdiff_t rows, int vectors,
                                       int accumulate, int fused) {
  if (TILE_ROWS == 1 || rows == TILE_ROWS) {
    tile(from, out, stride, TILE_ROWS, vectors, accumulate, fused);
    return;
  }
  for (; rows >= 4; rows -= 4, from.a += 4, out += 4 * stride) tile(from, out, stride, 4, vectors, accumulate, fused);
  if (rows >= 2) {
    tile(from, out, stride, 2, vectors, accumulate, fused);
    from.a += 2, out += 2 * stride;
  }
  if (rows % 2 == 1) tile(from, out, stride, 1, vectors, accumulate, fused);
}

static inline ALWAYS_INLINE void tiles_of(panels from, float *out, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t vectors,
                                          int accumulate, int fused) {
  switch (vectors) {
    case 1: tiles(from, out, stride, rows, 1, accumulate, fused); break;
#if TILE_VECTORS > 2
    case 2: tiles(from, out, stride, rows, 2, accumulate, fused); break;
#endif
    default: tiles(from, out, stride, rows, TILE_VECTORS, accumulate, fused);
  }
}

static void copy_rows(const float *source, ptrdiff_t source_stride, float *target, ptrdiff_t stride, ptrdiff_t rows,
                      ptrdiff_t columns) {
  for (ptrdiff_t i = 0; i < rows; i++)
    memcpy(target + i * stride, source + i * source_stride, (size_t)columns * sizeof *target);
}

/** Packed rows of A times one panel of B of `columns` columns, at most a tile's. */
static inline ALWAYS_INLINE void multiply_panel_as(const float *packed_a, panels from, float *out, ptrdiff_t stride,
                                                   ptrdiff_t rows, ptrdiff_t columns, int accumulate, int fused) {
  const ptrdiff_t vectors = (columns + LANES - 1) / LANES;
  for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS, packed_a += TILE_ROWS * from.terms, out += TILE_ROWS * stride) {
    // Where columns are missing, a tile is computed aside, from what is there.
    float edge[TILE_ROWS * TILE_COLUMNS];
    const ptrdiff_t high = least(TILE_ROWS, rows - i);
    const int whole = columns == vectors * LANES;
    from.a = packed_a, from.a_step = high;
    if (!whole && accumulate) copy_rows(out, stride, edge, TILE_COLUMNS, high, columns);
    tiles_of(from, whole ? out : edge, whole ? stride : TILE_COLUMNS, high, vectors, accumulate, fused);
    if (!whole) copy_rows(edge, TILE_COLUMNS, out, stride, high, columns);
  }
}

typedef void panel_kernel(const float *packed_a, panels from, float *out, ptrdiff_t stride, ptrdiff_t rows,
                          ptrdiff_t columns, int accumulate);

static NEVER_INLINE void multiply_panel_fused(const float *packed_a, panels from, float *out, ptrdiff_t stride,
                                              ptrdiff_t rows, ptrdiff_t columns, int accumulate) {
  multiply_panel_as(packed_a, from, out, stride, rows, columns, accumulate, 1);
}
static NEVER_INLINE void multiply_panel_strict(const float *packed_a, panels from, float *out, ptrdiff_t stride,
                                               ptrdiff_t rows, ptrdiff_t columns, int accumulate) {
  multiply_panel_as(packed_a, from, out, stride, rows, columns, accumulate, 0);
}

/** Where an operand's lines (rows of A, columns of B) and terms are. */
typedef struct {
  const float *start;
  ptrdiff_t line, term;
} operand;

static const float *at(operand x, ptrdiff_t line, ptrdiff_t term) { return x.start + line * x.line + term * x.term; }

/** Rows `top` to `bottom` and columns `left` to `right` of a product of matrices. */
static void multiply_part(operand a, operand b, float *out, ptrdiff_t n, ptrdiff_t k, ptrdiff_t top, ptrdiff_t bottom,
                          ptrdiff_t left, ptrdiff_t right, workspace *space, int fused) {
  enum { WIDE = BLOCK_COLUMNS / TILE_COLUMNS * TILE_COLUMNS };
  panel_kernel *const multiply_panel = fused ? multiply_panel_fused : multiply_panel_strict;
  // Where each panel of B is used once, one whose columns lie together is read where it is.
  const int in_place = b.line == 1 && bottom - top <= TILE_ROWS;
  for (ptrdiff_t first = left; first < right; first += WIDE) {
    const ptrdiff_t columns = least(WIDE, right - first);
    for (ptrdiff_t term = 0; term < k; term += BLOCK_TERMS) {
      const ptrdiff_t terms = least(BLOCK_TERMS, k - term);
      for (ptrdiff_t row = top; row < bottom; row += BLOCK_ROWS) {
        const ptrdiff_t rows = least(BLOCK_ROWS, bottom - row);
        for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
          const ptrdiff_t high = least(TILE_ROWS, rows - i);
          PACK_PANEL(at(a, row + i, term), a.line, a.term, high, terms, high, space->packed_a + i * terms);
        }
        for (ptrdiff_t j = 0; j < columns; j += TILE_COLUMNS) {
          const ptrdiff_t wide = least(TILE_COLUMNS, columns - j), width = (wide + LANES - 1) / LANES * LANES;
          const float *source = at(b, first + j, term);
          float *packed = space->packed_b + j * terms;
          panels from = {.terms = terms, .b = packed, .b_step = width};
          if (in_place && wide == width) from.b = source, from.b_step = b.term;
          else if (row == top) PACK_PANEL(source, b.line, b.term, wide, terms, width, packed);
          multiply_panel(space->packed_a, from, out + row * n + first + j, n, rows, wide, term > 0);
        }
      }
    }
  }
}

static inline ALWAYS_INLINE void multiply_row(const matmul_task *task, const float *a, const float *b, float *out,
                                              ptrdiff_t left, ptrdiff_t right, int fused) {
  if (!REST_BY_OTHERS && task->transpose_b) row_times_transposed(a, b, out, task->k, left, right, fused);
  else row_times_matrix(a, b, out, task->k, task->n, left, right, task->accumulate, fused);
}

static void matmul(const matmul_task *task, workspace *space) {
  const ptrdiff_t m = task->m, k = task->k, n = task->n;
  const int fused = REST_BY_OTHERS || task->fused;
  const ptrdiff_t across = (n + task->part_columns - 1) / task->part_columns;
  const ptrdiff_t down = (m + task->part_rows - 1) / task->part_rows;
  for (ptrdiff_t part = task->from; part < task->to; part++) {
    const ptrdiff_t index = part / (across * down);
    const ptrdiff_t top = part / across % down * task->part_rows, left = part % across * task->part_columns;
    const ptrdiff_t bottom = least(m, top + task->part_rows), right = least(n, left + task->part_columns);
    const float *a = task->a + index * task->stride_a, *b = task->b + index * task->stride_b;
    float *out = task->out + index * m * n;
    if (m > 1) {
      const operand rows = task->transpose_a ? (operand){a, 1, m} : (operand){a, k, 1};
      const operand columns = task->transpose_b ? (operand){b, k, 1} : (operand){b, 1, n};
      multiply_part(rows, columns, out, n, k, top, bottom, left, right, space, fused);
    } else if (fused) {
      multiply_row(task, a, b, out, left, right, 1);
    } else {
      multiply_row(task, a, b, out, left, right, 0);
    }
  }
}
