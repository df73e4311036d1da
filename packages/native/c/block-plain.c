// Exact products of blocks of any size, by the definition alone.
#include "block-scales.h"

static int32_t code_at(const block_operand *x, ptrdiff_t row, ptrdiff_t term) {
  const uint8_t *codes = x->codes + row * row_bytes(x);
  return x->wide ? ((const int16_t *)codes)[term] : ((const int8_t *)codes)[term];
}

static float element(const block_task *task, ptrdiff_t row_a, ptrdiff_t row_b) {
  const block_operand *a = &task->a, *b = &task->b;
  float y = 0;
  for (ptrdiff_t start = 0; start < a->terms; start += task->block_size) {
    int32_t sum = 0;
    for (ptrdiff_t t = start; t < start + task->block_size && t < a->terms; t++) {
      sum += code_at(a, row_a, t) * code_at(b, row_b, t);
    }
    const float scale_a = scale_at(a, row_a * scales_of_row(a) + start / a->block_size);
    const float scale_b = scale_at(b, row_b * scales_of_row(b) + start / b->block_size);
    y = add_limited(y, sum, (double)scale_a * scale_b * task->rest);
  }
  return y;
}

void block_matmul_plain(const block_task *task) {
  const ptrdiff_t m = task->a.rows, n = task->b.rows;
  const ptrdiff_t across = (n + task->part_columns - 1) / task->part_columns;
  const ptrdiff_t down = (m + task->part_rows - 1) / task->part_rows;
  for (ptrdiff_t part = task->from; part < task->to; part++) {
    const ptrdiff_t matrix = part / (across * down);
    const ptrdiff_t top = part / across % down * task->part_rows, left = part % across * task->part_columns;
    const ptrdiff_t first_a = task->a.shared ? 0 : matrix * m, first_b = task->b.shared ? 0 : matrix * n;
    for (ptrdiff_t i = top; i < m && i < top + task->part_rows; i++) {
      for (ptrdiff_t j = left; j < n && j < left + task->part_columns; j++) {
        task->out[(matrix * m + i) * n + j] = element(task, first_a + i, first_b + j);
      }
    }
  }
}
