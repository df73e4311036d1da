// Kernels element by element, called from JavaScript.
#include "arguments.h"

static void call_unary(call *one) {
  unary_task task = {.from = size_of(one, 0, 0),
                     .to = size_of(one, 1, 0),
                     .operation = (unary_operation)choice_at(one, 2, UNARY_COUNT)};
  task.x = floats_at(one, 3, (double)task.to);
  task.out = floats_at(one, 4, (double)task.to);
  if (!one->failed) one->engine->level->common->unary(&task);
}

static void call_gelu(call *one, int tanh, int gradient) {
  gelu_task task = {.from = size_of(one, 0, 0), .to = size_of(one, 1, 0), .tanh = tanh};
  task.x = floats_at(one, 2, (double)task.to);
  if (gradient) task.dy = floats_at(one, 3, (double)task.to);
  task.out = floats_at(one, 3 + gradient, (double)task.to);
  if (!one->failed) one->engine->level->wide->gelu(&task);
}

static void call_gelu_exact(call *one) { call_gelu(one, 0, 0); }
static void call_gelu_exact_gradient(call *one) { call_gelu(one, 0, 1); }
static void call_gelu_tanh(call *one) { call_gelu(one, 1, 0); }
static void call_gelu_tanh_gradient(call *one) { call_gelu(one, 1, 1); }

/** Where a matrix of `rows` lines, `stride` apart, ends, at the last place of two axes. */
static double end_of(double outer, double inner, const ptrdiff_t steps[2], double lines, double stride, double length) {
  return outer * (double)steps[0] + inner * (double)steps[1] + (lines - 1) * stride + length;
}

static void call_turn(call *one) {
  turn_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .rows = size_of(one, 4, 1),
      .columns = size_of(one, 5, 1),
      .source_stride = size_of(one, 6, 0),
      .target_stride = size_of(one, 7, 0),
      .inner_extent = size_of(one, 8, 1),
      .source_steps = {size_of(one, 9, 0), size_of(one, 10, 0)},
      .target_steps = {size_of(one, 11, 0), size_of(one, 12, 0)},
  };
  if (one->failed || task.from >= task.to) return;
  const ptrdiff_t last = (task.to - 1) / ((task.rows + TURNED_ROWS - 1) / TURNED_ROWS);
  const double outer = (double)(last / task.inner_extent);
  const double inner = (double)(last < task.inner_extent ? last : task.inner_extent - 1);
  const double rows = (double)task.rows, columns = (double)task.columns;
  task.source = floats_at(one, 2, end_of(outer, inner, task.source_steps, rows, (double)task.source_stride, columns));
  task.target = floats_at(one, 3, end_of(outer, inner, task.target_steps, columns, (double)task.target_stride, rows));
  if (!one->failed) one->engine->level->common->turn(&task);
}
