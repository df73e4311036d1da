// Exact products of blocks after Goto and van de Geijn (ACM TOMS 34, 2008), as the products of f32, but that a term is
// a word of two or four codes. In plain C, for all levels.
#include "block-driver.h"

#include <string.h>

#include "panel-scales.h"

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/** Sixteen bytes wherever they lie, and as many integers of two. */
typedef int8_t bytes __attribute__((vector_size(16), aligned(1)));
typedef int16_t integers __attribute__((vector_size(32), aligned(1)));
typedef uint32_t four_words __attribute__((vector_size(16), aligned(4)));

static void widen(const int8_t *codes, int16_t *to, ptrdiff_t count) {
  ptrdiff_t i = 0;
  for (; i + 16 <= count; i += 16)
    *(integers *)(to + i) = __builtin_convertvector(*(const bytes *)(codes + i), integers);
  for (; i < count; i++) to[i] = codes[i];
}

/** Adds 128 to every code. */
static void offset_codes(float *words, ptrdiff_t count) {
  ptrdiff_t i = 0;
  for (; i + 4 <= count; i += 4) *(four_words *)(words + i) ^= 0x80808080u;
  for (; i < count; i++) ((uint32_t *)words)[i] ^= 0x80808080u;
}

/** Codes in a word. */
static int group_of(int wide) { return wide ? 2 : 4; }

/** Words of `lines` rows from element `start` on: target[word][line], `width` words apart; missing lines are zeros. */
static void pack_codes(const block_kernel *kernel, const block_operand *x, ptrdiff_t row, ptrdiff_t lines,
                       ptrdiff_t start, ptrdiff_t words, ptrdiff_t width, int wide, int16_t *widened, float *target) {
  const uint8_t *from = x->codes + row * row_bytes(x) + (start << x->wide);
  ptrdiff_t step = row_bytes(x) / 4;
  if (x->wide != wide) {
    for (ptrdiff_t line = 0; line < lines; line++)
      widen((const int8_t *)from + line * row_bytes(x), widened + line * 2 * words, 2 * words);
    from = (const uint8_t *)widened, step = words;
  }
  kernel->pack_panel((const float *)from, step, 1, lines, words, width, target);
}

static void copy_tile(const float *source, ptrdiff_t source_stride, float *target, ptrdiff_t stride, ptrdiff_t rows,
                      ptrdiff_t columns) {
  for (ptrdiff_t i = 0; i < rows; i++)
    memcpy(target + i * stride, source + i * source_stride, (size_t)columns * sizeof *target);
}

/** What a product works with: a kernel, and whether codes take two bytes. */
typedef struct {
  const block_kernel *kernel;
  const block_task *task;
  workspace *space;
  int wide;
} product;

/** A panel of rows of A or, as wide as a tile, columns of B: its codes, scales and, of B, corrections. */
static void pack_lines(const product *one, const block_operand *x, ptrdiff_t line, ptrdiff_t lines, ptrdiff_t start,
                       ptrdiff_t width, const block_panels *panels, float *codes, float *scales, range *found) {
  const ptrdiff_t words = (panels->blocks - 1) * panels->groups + panels->last_groups;
  pack_codes(one->kernel, x, line, lines, start, words, width, one->wide, one->space->widened, codes);
  *found = pack_scales(x, line, lines, start, panels->blocks, one->task->block_size, width, scales);
}

/**
 * Rows `top` to `bottom` and columns `left` to `right` of a product of matrices that begin with rows `first_a` and
 * `first_b`.
 */
static void multiply_part(const product *one, ptrdiff_t first_a, ptrdiff_t first_b, float *out, ptrdiff_t top,
                          ptrdiff_t bottom, ptrdiff_t left, ptrdiff_t right) {
  const block_kernel *kernel = one->kernel;
  const block_task *task = one->task;
  workspace *const space = one->space;
  const int wide = one->wide, offset = kernel->pack_corrections != NULL && !wide;
  const ptrdiff_t high = kernel->tile_rows, broad = kernel->tile_columns, most_columns = BLOCK_COLUMNS / broad * broad;
  const ptrdiff_t stride = task->b.rows, group = group_of(wide), size = task->block_size;
  const ptrdiff_t most_terms = least(BLOCK_SCALES, BLOCK_TERMS * group / size) * size;
  for (ptrdiff_t first = left; first < right; first += most_columns) {
    const ptrdiff_t columns = least(most_columns, right - first);
    for (ptrdiff_t start = 0; start < task->a.terms; start += most_terms) {
      const ptrdiff_t terms = least(most_terms, task->a.terms - start), words = (terms + group - 1) / group;
      block_panels from = {.blocks = (terms + size - 1) / size, .groups = size / group, .rest = task->rest};
      from.last_groups = words - (from.blocks - 1) * from.groups, from.accumulate = start > 0;
      for (ptrdiff_t row = top; row < bottom; row += BLOCK_ROWS) {
        const ptrdiff_t rows = least(BLOCK_ROWS, bottom - row);
        for (ptrdiff_t i = 0; i < rows; i += high) {
          const ptrdiff_t lines = least(high, rows - i);
          float *codes = space->packed_a + i * words;
          pack_lines(one, &task->a, first_a + row + i, lines, start, lines, &from, codes,
                     space->scales_a + i * from.blocks, &space->ranges_a[i / high]);
          if (offset) offset_codes(codes, words * lines);
        }
        for (ptrdiff_t j = 0; j < columns; j += broad) {
          const ptrdiff_t lines = least(broad, columns - j);
          float *codes = space->packed_b + j * words, *scales = space->scales_b + j * from.blocks;
          int32_t *corrections = space->corrections + j * from.blocks;
          range *const range_b = &space->ranges_b[j / broad];
          if (row == top) {
            pack_lines(one, &task->b, first_b + first + j, lines, start, broad, &from, codes, scales, range_b);
            if (offset) kernel->pack_corrections(codes, from.blocks, from.groups, from.last_groups, corrections);
          }
          from.b = (const int32_t *)codes, from.scales_b = scales, from.corrections = corrections;
          for (ptrdiff_t i = 0; i < rows; i += high) {
            from.a = (const int32_t *)(space->packed_a + i * words);
            from.scales_a = space->scales_a + i * from.blocks;
            from.a_step = least(high, rows - i);
            from.normal = stays_normal(space->ranges_a[i / high], *range_b, task->rest);
            // Where columns are missing, a tile is computed aside.
            float *tile = out + (row + i) * stride + first + j, *edge = lines < broad ? space->edge : tile;
            const ptrdiff_t edge_stride = lines < broad ? broad : stride;
            if (edge != tile && from.accumulate) copy_tile(tile, stride, edge, broad, from.a_step, lines);
            (wide ? kernel->multiply_wide : kernel->multiply_narrow)(&from, edge, edge_stride, from.a_step);
            if (edge != tile) copy_tile(edge, broad, tile, stride, from.a_step, lines);
          }
        }
      }
    }
  }
}

void multiply_blocks(const block_kernel *kernel, const block_task *task, workspace *space) {
  const int narrow = kernel->narrow && !task->a.wide && !task->b.wide && task->block_size % 4 == 0;
  if (!narrow && task->block_size % 2 != 0) {
    block_matmul_plain(task);
    return;
  }
  const product one = {kernel, task, space, !narrow};
  const ptrdiff_t m = task->a.rows, n = task->b.rows;
  const ptrdiff_t across = (n + task->part_columns - 1) / task->part_columns;
  const ptrdiff_t down = (m + task->part_rows - 1) / task->part_rows;
  for (ptrdiff_t part = task->from; part < task->to; part++) {
    const ptrdiff_t index = part / (across * down);
    const ptrdiff_t top = part / across % down * task->part_rows, left = part % across * task->part_columns;
    multiply_part(&one, task->a.shared ? 0 : index * m, task->b.shared ? 0 : index * n, task->out + index * m * n, top,
                  least(m, top + task->part_rows), left, least(n, left + task->part_columns));
  }
}
