// Exact products of blocks after Goto and van de Geijn (ACM TOMS 34, 2008), as the products of f32, but that a term is
// a word of two or four codes. In plain C, for all levels.
#include "block-driver.h"

#include <string.h>

#include "panel-scales.h"

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/** Sixteen bytes wherever they lie, and as many integers of two. */
typedef int8_t bytes __attribute__((vector_size(16), aligned(1)));
typedef int16_t integers __attribute__((vector_size(32), aligned(1)));
typedef uint32_t eight_words __attribute__((vector_size(32), aligned(1)));

static void widen(const int8_t *codes, int16_t *to, ptrdiff_t count) {
  ptrdiff_t i = 0;
  for (; i + 16 <= count; i += 16)
    *(integers *)(to + i) = __builtin_convertvector(*(const bytes *)(codes + i), integers);
  for (; i < count; i++) to[i] = codes[i];
}

/** Words with `change` in other bits. */
static void copy_words(const uint32_t *from, uint32_t *to, ptrdiff_t count, uint32_t change) {
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) *(eight_words *)(to + i) = *(const eight_words *)(from + i) ^ change;
  for (; i < count; i++) to[i] = from[i] ^ change;
}

/** Codes in a word. */
static int group_of(int wide) { return wide ? 2 : 4; }

static const uint8_t *codes_at(const block_operand *x, ptrdiff_t row, ptrdiff_t start) {
  return x->codes + row * row_bytes(x) + (start << x->wide);
}

/** `lines` rows of A from element `start` on, ROW_WORDS apart; 128 is added to codes with an `offset`. */
static void copy_rows(const block_operand *x, ptrdiff_t row, ptrdiff_t lines, ptrdiff_t start, ptrdiff_t words,
                      int wide, int offset, float *target) {
  for (ptrdiff_t line = 0; line < lines; line++, target += ROW_WORDS) {
    const uint8_t *from = codes_at(x, row + line, start);
    if (x->wide != wide) widen((const int8_t *)from, (int16_t *)target, 2 * words);
    else copy_words((const uint32_t *)from, (uint32_t *)target, words, offset ? 0x80808080u : 0);
  }
}

/** `lines` columns of B: target[word][line], `width` words apart; missing lines are zeros. */
static void pack_columns(const block_kernel *kernel, const block_operand *x, ptrdiff_t row, ptrdiff_t lines,
                         ptrdiff_t start, ptrdiff_t words, ptrdiff_t width, int wide, int16_t *widened,
                         float *target) {
  const uint8_t *from = codes_at(x, row, start);
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
      block_panels from = {.words = words, .groups = size / group, .rest = task->rest, .accumulate = start > 0};
      const ptrdiff_t blocks = from.blocks = (terms + size - 1) / size;
      for (ptrdiff_t row = top; row < bottom; row += BLOCK_ROWS) {
        const ptrdiff_t rows = least(BLOCK_ROWS, bottom - row);
        copy_rows(&task->a, first_a + row, rows, start, words, wide, offset, space->packed_a);
        for (ptrdiff_t i = 0; i < rows; i += high)
          space->ranges_a[i / high] = pack_scales(&task->a, first_a + row + i, least(high, rows - i), start, blocks,
                                                  size, BLOCK_SCALES, 1, space->scales_a + i * BLOCK_SCALES);
        for (ptrdiff_t j = 0; j < columns; j += broad) {
          const ptrdiff_t lines = least(broad, columns - j), line = first_b + first + j;
          float *codes = space->packed_b + j * words, *scales = space->scales_b + j * blocks;
          int32_t *corrections = space->corrections + j * blocks;
          range *const range_b = &space->ranges_b[j / broad];
          if (row == top) {
            pack_columns(kernel, &task->b, line, lines, start, words, broad, wide, space->widened, codes);
            *range_b = pack_scales(&task->b, line, lines, start, blocks, size, 1, broad, scales);
            if (offset) kernel->pack_corrections(codes, words, from.groups, corrections);
          }
          from.b = (const int32_t *)codes, from.scales_b = scales, from.corrections = corrections;
          for (ptrdiff_t i = 0; i < rows; i += high) {
            const ptrdiff_t there = least(high, rows - i);
            from.a = (const int32_t *)(space->packed_a + i * ROW_WORDS);
            from.scales_a = space->scales_a + i * BLOCK_SCALES;
            from.normal = stays_normal(space->ranges_a[i / high], *range_b, task->rest);
            // Where rows or columns are missing, a whole tile is computed aside: it takes no longer than two rows.
            const ptrdiff_t computed = from.normal && there > 1 ? high : there;
            const int aside = lines < broad || computed > there;
            float *tile = out + (row + i) * stride + first + j, *to = aside ? space->edge : tile;
            if (aside && from.accumulate) copy_tile(tile, stride, to, broad, there, lines);
            (wide ? kernel->multiply_wide : kernel->multiply_narrow)(&from, to, aside ? broad : stride, computed);
            if (aside) copy_tile(to, broad, tile, stride, there, lines);
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
