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
