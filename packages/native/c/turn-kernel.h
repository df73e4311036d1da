// Matrices turned round, as `turnMatrices` of `packages/backends/assembly/movement.ts`.

/** Rows `top` to `bottom` and columns `left` to `right` of one matrix: whole squares, and what they leave. */
static void turn_part(const turn_task *task, const float *source, float *target, ptrdiff_t top, ptrdiff_t bottom,
                      ptrdiff_t left, ptrdiff_t right) {
  const ptrdiff_t from = task->source_stride, to = task->target_stride;
  ptrdiff_t row = top;
  for (; row + TURNED <= bottom; row += TURNED) {
    ptrdiff_t column = left;
    for (; column + TURNED <= right; column += TURNED)
      turn_block(source + row * from + column, from, target + column * to + row, to);
    for (; column < right; column++) {
      for (ptrdiff_t i = row; i < row + TURNED; i++) target[column * to + i] = source[i * from + column];
    }
  }
  for (; row < bottom; row++) {
    for (ptrdiff_t column = left; column < right; column++) target[column * to + row] = source[row * from + column];
  }
}

/** Fetches what a later part reads: processors see no pattern in lines that lie far apart. */
static void fetch_part(const turn_task *task, const float *source, ptrdiff_t top, ptrdiff_t bottom, ptrdiff_t left) {
  for (ptrdiff_t row = top; row < bottom; row++) __builtin_prefetch(source + row * task->source_stride + left);
}

static void turn_matrices(const turn_task *task) {
  // A line of the cache on either side is read or written as a whole.
  enum { BROAD = 16, AHEAD = 64 };
  const ptrdiff_t strips = (task->rows + TURNED_ROWS - 1) / TURNED_ROWS;
  for (ptrdiff_t strip = task->from; strip < task->to; strip++) {
    const ptrdiff_t matrix = strip / strips, i = matrix / task->inner_extent, j = matrix % task->inner_extent;
    const float *source = task->source + i * task->source_steps[0] + j * task->source_steps[1];
    float *target = task->target + i * task->target_steps[0] + j * task->target_steps[1];
    const ptrdiff_t top = strip % strips * TURNED_ROWS;
    const ptrdiff_t bottom = top + TURNED_ROWS < task->rows ? top + TURNED_ROWS : task->rows;
    for (ptrdiff_t left = 0, right; left < task->columns; left = right) {
      right = left + BROAD < task->columns ? left + BROAD : task->columns;
      if (left + AHEAD < task->columns) fetch_part(task, source, top, bottom, left + AHEAD);
      turn_part(task, source, target, top, bottom, left, right);
    }
  }
}
