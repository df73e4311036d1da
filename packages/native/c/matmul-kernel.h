// Matrix products of f32 after Goto and van de Geijn (ACM TOMS 34, 2008), for any width of vector.
#include <string.h>

#include "kernel.h"
#include "matmul.h"

static inline ALWAYS_INLINE floats multiply_add(floats a, floats b, floats c, int fused) {
  return fused ? fused_multiply_add(a, b, c) : multiply_then_add(a, b, c);
}

#include "row-products.h"

/** A panel of A and one of B: the floats from one row of A to the next, and from one term of each to the next. */
typedef struct {
  const float *a, *b;
  ptrdiff_t a_line, a_step, b_step, terms;
} panels;

enum {
  /** Rows of the tile where a whole one is missing rows. Fewer rows would take as long, by the latency of a sum. */
  LOW = 4,
  MOST_ROWS = TILE_ROWS < LOW ? LOW : TILE_ROWS,
};

/**
 * One tile: out (rows `stride` floats apart) = or += panel of A · panel of B. `rows`, `vectors` and `fused` are
 * constants wherever this is inlined.
 */
static inline ALWAYS_INLINE void tile(panels from, float *out, ptrdiff_t stride, int rows, int vectors, int accumulate,
                                      int fused) {
  floats sums[MOST_ROWS][TILE_VECTORS];
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = accumulate ? load(out + i * stride + v * LANES) : splat(0);
  }
  const float *a = from.a, *b = from.b;
  for (ptrdiff_t t = from.terms; t > 0; t--, a += from.a_step, b += from.b_step) {
    floats right[TILE_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) right[v] = load(b + v * LANES);
    UNROLL for (int i = 0; i < rows; i++) {
      const floats left = splat(a[i * from.a_line]);
      UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(left, right[v], sums[i][v], fused);
    }
  }
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int v = 0; v < vectors; v++) store(out + i * stride + v * LANES, sums[i][v]);
  }
}

static inline ALWAYS_INLINE void tile_of(panels from, float *out, ptrdiff_t stride, ptrdiff_t rows, int vectors,
                                         int accumulate, int fused) {
  if (TILE_ROWS == 1 || rows == TILE_ROWS) tile(from, out, stride, TILE_ROWS, vectors, accumulate, fused);
  else tile(from, out, stride, LOW, vectors, accumulate, fused);
}

static inline ALWAYS_INLINE void any_tile(panels from, float *out, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t vectors,
                                          int accumulate, int fused) {
  switch (vectors) {
    case 1: tile_of(from, out, stride, rows, 1, accumulate, fused); break;
#if TILE_VECTORS > 2
    case 2: tile_of(from, out, stride, rows, 2, accumulate, fused); break;
#endif
    default: tile_of(from, out, stride, rows, TILE_VECTORS, accumulate, fused);
  }
}

static void copy_rows(const float *source, ptrdiff_t source_stride, float *target, ptrdiff_t stride, ptrdiff_t rows,
                      ptrdiff_t columns) {
  for (ptrdiff_t i = 0; i < rows; i++)
    memcpy(target + i * stride, source + i * source_stride, (size_t)columns * sizeof *target);
}

/** Where an operand's lines (rows of A, columns of B) and terms are. */
typedef struct {
  const float *start;
  ptrdiff_t line, term;
} operand;

static const float *at(operand x, ptrdiff_t line, ptrdiff_t term) { return x.start + line * x.line + term * x.term; }

/** Rows of A: those of whole tiles where they are, or if `start` is null in panels, as the last ones always are. */
typedef struct {
  operand in_place;
  const float *packed;
} rows_of_a;

/** Rows in the panel of A from the row `i` of `rows`: those of a tile, or of as many low ones as it takes. */
static inline ptrdiff_t panel_rows(ptrdiff_t i, ptrdiff_t rows) {
  return rows - i >= TILE_ROWS ? TILE_ROWS : (rows - i + LOW - 1) / LOW * LOW;
}

/** Rows of A times one panel of B of `columns` columns, at most a tile's. */
static inline ALWAYS_INLINE void multiply_panel_as(rows_of_a a, panels from, float *out, ptrdiff_t stride,
                                                   ptrdiff_t rows, ptrdiff_t columns, int accumulate, int fused) {
  const ptrdiff_t vectors = (columns + LANES - 1) / LANES, last = rows / TILE_ROWS * TILE_ROWS;
  for (ptrdiff_t i = 0, step; i < rows; i += step, out += step * stride) {
    step = i < last ? TILE_ROWS : LOW;
    if (i < last && a.in_place.start != NULL) {
      from.a = at(a.in_place, i, 0), from.a_line = a.in_place.line, from.a_step = a.in_place.term;
    } else {
      const ptrdiff_t first = i < last ? i : last;
      from.a = a.packed + first * from.terms + (i - first), from.a_line = 1, from.a_step = panel_rows(first, rows);
    }
    // Where rows or columns are missing, a tile is computed aside, from what is there.
    const ptrdiff_t high = least(step, rows - i);
    const int whole = columns == vectors * LANES && high == step;
    float edge[MOST_ROWS * TILE_COLUMNS];
    if (!whole && accumulate) {
      memset(edge, 0, sizeof edge);
      copy_rows(out, stride, edge, TILE_COLUMNS, high, columns);
    }
    any_tile(from, whole ? out : edge, whole ? stride : TILE_COLUMNS, step, vectors, accumulate, fused);
    if (!whole) copy_rows(edge, TILE_COLUMNS, out, stride, high, columns);
  }
}

typedef void panel_kernel(rows_of_a a, panels from, float *out, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns,
                          int accumulate);

static NEVER_INLINE void multiply_panel_fused(rows_of_a a, panels from, float *out, ptrdiff_t stride, ptrdiff_t rows,
                                              ptrdiff_t columns, int accumulate) {
  multiply_panel_as(a, from, out, stride, rows, columns, accumulate, 1);
}
static NEVER_INLINE void multiply_panel_strict(rows_of_a a, panels from, float *out, ptrdiff_t stride, ptrdiff_t rows,
                                               ptrdiff_t columns, int accumulate) {
  multiply_panel_as(a, from, out, stride, rows, columns, accumulate, 0);
}

enum {
  /** Panels of B up to which packing a panel of A costs more than reading it where it is. */
  FEW_PANELS = 12,
  /** Floats between lines that the first-level cache maps to the same set. */
  ALIASED = 1024,
};

/** Whether A is packed for a product with so many columns of B. One of its strides is 1. */
static int packs_a(operand a, ptrdiff_t columns) {
  return columns > FEW_PANELS * TILE_COLUMNS || (a.line + a.term - 1) % ALIASED == 0;
}

/** Rows `top` to `bottom` and columns `left` to `right` of a product of matrices. */
static void multiply_part(operand a, operand b, float *out, ptrdiff_t n, ptrdiff_t k, ptrdiff_t top, ptrdiff_t bottom,
                          ptrdiff_t left, ptrdiff_t right, int accumulate, workspace *space, int fused) {
  enum { WIDE = BLOCK_COLUMNS / TILE_COLUMNS * TILE_COLUMNS };
  panel_kernel *const multiply_panel = REST_BY_OTHERS || fused ? multiply_panel_fused : multiply_panel_strict;
  // Where each panel of B is used once, one whose columns lie together is read where it is.
  const int b_in_place = b.line == 1 && bottom - top <= TILE_ROWS;
  for (ptrdiff_t first = left; first < right; first += WIDE) {
    const ptrdiff_t columns = least(WIDE, right - first);
    for (ptrdiff_t term = 0; term < k; term += BLOCK_TERMS) {
      const ptrdiff_t terms = least(BLOCK_TERMS, k - term);
      for (ptrdiff_t row = top; row < bottom; row += BLOCK_ROWS) {
        const ptrdiff_t rows = least(BLOCK_ROWS, bottom - row);
        const int packs = packs_a(a, columns);
        const rows_of_a some = {{packs ? NULL : at(a, row, term), a.line, a.term}, space->packed_a};
        for (ptrdiff_t i = packs ? 0 : rows / TILE_ROWS * TILE_ROWS; i < rows; i += TILE_ROWS) {
          const ptrdiff_t high = least(TILE_ROWS, rows - i);
          const ptrdiff_t width = panel_rows(i, rows);
          PACK_PANEL(at(a, row + i, term), a.line, a.term, high, terms, width, space->packed_a + i * terms);
        }
        for (ptrdiff_t j = 0; j < columns; j += TILE_COLUMNS) {
          const ptrdiff_t wide = least(TILE_COLUMNS, columns - j), width = (wide + LANES - 1) / LANES * LANES;
          const float *source = at(b, first + j, term);
          float *packed_b = space->packed_b + j * terms;
          panels from = {.terms = terms, .b = packed_b, .b_step = width};
          if (b_in_place && wide == width) from.b = source, from.b_step = b.term;
          else if (row == top) PACK_PANEL(source, b.line, b.term, wide, terms, width, packed_b);
          multiply_panel(some, from, out + row * n + first + j, n, rows, wide, accumulate || term > 0);
        }
      }
    }
  }
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
    // Strict arithmetic is for the same bits everywhere, not for speed: one row is as good as several.
    if (m == 1 && !REST_BY_OTHERS && task->transpose_b) {
      if (fused) row_times_transposed(a, b, out, k, left, right, 1);
      else row_times_transposed(a, b, out, k, left, right, 0);
    } else if (m == 1 && fused) {
      row_times_matrix(a, b, out, k, n, left, right, task->accumulate);
    } else {
      const operand rows = task->transpose_a ? (operand){a, 1, m} : (operand){a, k, 1};
      const operand columns = task->transpose_b ? (operand){b, k, 1} : (operand){b, 1, n};
      multiply_part(rows, columns, out, n, k, top, bottom, left, right, task->accumulate, space, fused);
    }
  }
}
