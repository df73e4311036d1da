// Kernels row by row, called from JavaScript.
#include "arguments.h"

static void call_softmax(call *one) {
  softmax_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .width = size_of(one, 4, 1),
      .height = size_of(one, 5, 1),
      .scale = float_at(one, 6),
      .causal = flag_at(one, 7),
  };
  const double count = (double)task.to * (double)task.width;
  task.x = floats_at(one, 2, count);
  task.out = floats_at(one, 3, count);
  if (!one->failed) one->engine->level->wide->softmax(&task);
}

static void call_softmax_gradient(call *one) {
  softmax_gradient_task task = {
      .from = size_of(one, 0, 0), .to = size_of(one, 1, 0), .width = size_of(one, 5, 1), .scale = float_at(one, 6)};
  const double count = (double)task.to * (double)task.width;
  task.y = floats_at(one, 2, count);
  task.dy = floats_at(one, 3, count);
  task.out = floats_at(one, 4, count);
  if (!one->failed) one->engine->level->common->softmax_gradient(&task);
}

static void read_cross_entropy(call *one, int gradient) {
  cross_entropy_task task = {
      .from = size_of(one, 0, 0), .to = size_of(one, 1, 0), .classes = size_of(one, 5 + gradient, 1)};
  const double rows = (double)task.to, count = rows * (double)task.classes;
  task.logits = floats_at(one, 2, count);
  task.labels = (const int32_t *)floats_at(one, 3, rows);
  if (gradient) task.dy = floats_at(one, 4, rows);
  task.out = floats_at(one, 4 + gradient, gradient ? count : rows);
  if (!one->failed) one->engine->level->wide->cross_entropy(&task);
}

static void call_cross_entropy(call *one) { read_cross_entropy(one, 0); }
static void call_cross_entropy_gradient(call *one) { read_cross_entropy(one, 1); }

static void call_layer_norm(call *one) {
  layer_norm_task task = {
      .from = size_of(one, 0, 0), .to = size_of(one, 1, 0), .width = size_of(one, 6, 1), .epsilon = float_at(one, 7)};
  const double width = (double)task.width, count = (double)task.to * width;
  task.x = floats_at(one, 2, count);
  task.gain = floats_at(one, 3, width);
  task.bias = floats_at(one, 4, width);
  task.out = floats_at(one, 5, count);
  if (!one->failed) one->engine->level->common->layer_norm(&task);
}

static void call_layer_norm_gradient(call *one) {
  layer_norm_gradient_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .rows = size_of(one, 8, 0),
      .width = size_of(one, 9, 1),
      .epsilon = float_at(one, 10),
  };
  const double width = (double)task.width, parts = (double)task.to, count = (double)task.rows * width;
  const double padded = (double)((task.width + 3) / 4 * 4);
  task.x = floats_at(one, 2, count);
  task.gain = floats_at(one, 3, width);
  task.dy = floats_at(one, 4, count);
  task.out = floats_at(one, 5, count);
  task.totals = (double *)floats_at(one, 6, 4 * padded * parts);
  task.scratch = floats_at(one, 7, 2 * padded * parts);
  // Of no rows, there is still one part.
  if (task.to > 1 && (task.to - 1) * NORM_PART_ROWS >= task.rows) fail(one, "There are more parts than rows.");
  if (one->numbers[6] != (double)((ptrdiff_t)one->numbers[6] / 8 * 8))
    fail(one, "An address is no multiple of its element's size.");
  if (!one->failed) one->engine->level->common->layer_norm_gradient(&task);
}

static void call_coded_attention(call *one) {
  coded_attention_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .heads = size_of(one, 5, 1),
      .keys = size_of(one, 6, 1),
      .rows = {.width = size_of(one, 7, 1),
               .size = size_of(one, 8, 1),
               .kind = (coded_kind)choice_at(one, 9, CODED_KIND_COUNT),
               .mantissa_bits = choice_at(one, 10, 8),
               .emin = (int32_t)word_at(one, 11)},
      .scale = float_at(one, 12),
  };
  if (task.keys > MOST_CODED_KEYS || task.rows.width > WIDEST_CODED_ROW || task.rows.size > task.rows.width ||
      task.rows.emin < -64 || task.rows.emin > 64)
    fail(one, "A size is out of range.");
  if (one->failed || task.from >= task.to) return;
  const double matrices = (double)((task.to - 1) / task.heads + 1), count = (double)(task.to * task.rows.width);
  size_of(one, 3, 0);
  task.query = floats_at(one, 2, count);
  task.rows.codes = bytes_at(one, one->numbers[3],
                             matrices * 2 * (double)task.heads * (double)(task.keys * bytes_of_row(&task.rows)));
  task.out = floats_at(one, 4, count);
  if (!one->failed) coded_attention(one->engine->level, &task, one->engine->space);
}

static void call_packed_rows(call *one) {
  packed_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .kind = (packed_kind)choice_at(one, 2, PACKED_COUNT),
      .shift = choice_at(one, 6, 16),
      .chunks = size_of(one, 7, 1),
      .m = size_of(one, 10, 1),
      .n = size_of(one, 11, 1),
  };
  if (one->failed) return;
  if (task.to > task.n) fail(one, "There are fewer columns.");
  const double rows = (double)task.to, chunks = (double)task.chunks;
  const int bytes = task.kind == NIBBLES ? 32 : task.kind <= FLOAT6_M2 ? 48 : 64;
  const ptrdiff_t blocks = (4 * task.chunks + ((ptrdiff_t)1 << task.shift) - 1) >> task.shift;
  size_of(one, 3, 0), size_of(one, 4, 0);
  task.codes = bytes_at(one, one->numbers[3], rows * chunks * bytes);
  task.scales = bytes_at(one, one->numbers[4], rows * (double)blocks);
  task.tables = (const uint32_t *)floats_at(one, 5, TABLE_WORDS);
  task.x = floats_at(one, 8, (double)task.m * chunks * CHUNK_CODES);
  task.out = floats_at(one, 9, (double)(task.m - 1) * (double)task.n + rows);
  if (!one->failed) one->engine->level->wide->packed_rows(&task);
}
