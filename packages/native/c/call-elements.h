// Kernels element by element, called from JavaScript.
#include "arguments.h"

static void call_unary(call *one) {
  unary_task task = {.from = size_of(one, 0, 0), .to = size_of(one, 1, 0), .operation = (unary_operation)choice_at(one, 2, UNARY_COUNT)};
  task.x = floats_at(one, 3, (double)task.to);
  task.out = floats_at(one, 4, (double)task.to);
  if (one->failed) return;
  const unary_operation operation = task.operation;
  if (operation == EXP || operation == LOG || operation == TANH || operation == ERF) one->engine->level->floats->transcendental(&task);
  else one->engine->level->plain->unary(&task);
}

/** An operand whose strides are arguments from `first` on, and whose rows are `width` long. */
static walked read_walked(call *one, int start, int first, const double places[3], double width) {
  walked x = {.step = choice_at(one, first + 3, 2)};
  double count = (width - 1) * (double)x.step + 1;
  for (int axis = 0; axis < 3; axis++) {
    x.strides[axis] = size_of(one, first + axis, 0);
    count += places[axis] * (double)x.strides[axis];
  }
  x.start = floats_at(one, start, count);
  return x;
}

static void call_binary(call *one) {
  binary_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .operation = (binary_operation)choice_at(one, 2, BINARY_COUNT),
      .width = size_of(one, 6, 0),
      .e1 = size_of(one, 7, 1),
      .e2 = size_of(one, 8, 1),
  };
  if (one->failed || task.from >= task.to) return;
  const int flat = task.width == 0;
  const double to = (double)task.to, width = flat ? to : (double)task.width;
  // The largest place along each axis.
  const double places[3] = {
      flat ? 0 : (double)((task.to - 1) / task.e2 / task.e1),
      flat ? 0 : (double)(task.e1 - 1),
      flat ? 0 : (double)(task.e2 - 1),
  };
  task.a = read_walked(one, 3, 9, places, width);
  task.b = read_walked(one, 4, 13, places, width);
  task.out = floats_at(one, 5, flat ? to : to * width);
  if (!one->failed) one->engine->level->plain->binary(&task);
}

static void call_gelu(call *one, int tanh, int gradient) {
  gelu_task task = {.from = size_of(one, 0, 0), .to = size_of(one, 1, 0), .tanh = tanh};
  task.x = floats_at(one, 2, (double)task.to);
  if (gradient) task.dy = floats_at(one, 3, (double)task.to);
  task.out = floats_at(one, 3 + gradient, (double)task.to);
  if (!one->failed) one->engine->level->floats->gelu(&task);
}

static void call_gelu_exact(call *one) { call_gelu(one, 0, 0); }
static void call_gelu_exact_gradient(call *one) { call_gelu(one, 0, 1); }
static void call_gelu_tanh(call *one) { call_gelu(one, 1, 0); }
static void call_gelu_tanh_gradient(call *one) { call_gelu(one, 1, 1); }
