// Rounding to block formats, called from JavaScript.
#include "arguments.h"

/** The 17 words at argument `index`, of a format that the kernels can do. */
static const rounding_settings *settings_at(call *one, int index) {
  const rounding_settings *settings = (const rounding_settings *)floats_at(one, index, SETTING_WORDS);
  if (settings == NULL || one->failed) return NULL;
  const int exponents = settings->emin > -64 && settings->emin <= settings->emax && settings->emax < 64;
  if (settings->rounding < 0 || settings->rounding >= ROUNDING_COUNT || settings->block_size < 1 ||
      settings->bits < 2 || settings->bits > 9 || settings->significant_bits < 0 ||
      settings->significant_bits >= settings->bits || !exponents) {
    fail(one, "The settings are those of no format.");
    return NULL;
  }
  return settings;
}

static int is_stochastic(const rounding_settings *settings) {
  return settings != NULL && settings->rounding == STOCHASTIC;
}

/** The task of either kernel that encodes, of `lines` lines before `to`; 0 where an argument does not fit. */
static int read_encode(call *one, encode_task *task, double lines) {
  const rounding_settings *settings = settings_at(one, 2);
  const double length = size_of(one, 7, 1), count = lines * length;
  *task = (encode_task){
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .settings = settings,
      .length = (ptrdiff_t)length,
      .blocks = size_of(one, 8, 1),
      .wide = flag_at(one, 9),
  };
  if (one->failed) return 0;
  if (task->blocks != (task->length + settings->block_size - 1) / settings->block_size) {
    fail(one, "The number of blocks is not that of a row.");
    return 0;
  }
  task->source = floats_at(one, 3, count);
  const double codes = one->numbers[4], scales = one->numbers[5];
  size_of(one, 4, 0), size_of(one, 5, 0);
  task->codes = bytes_at(one, codes, lines * (double)((task->length + 15) / 16 * 16) * (task->wide ? 2 : 1));
  task->scales = bytes_at(one, scales, lines * (double)task->blocks * (settings->e4m3_scales ? 4 : 1));
  if (is_stochastic(settings)) task->random = (const uint32_t *)floats_at(one, 6, count);
  return !one->failed;
}

static void call_encode(call *one) {
  encode_task task;
  if (read_encode(one, &task, (double)size_of(one, 1, 0))) one->engine->level->wide->encode(&task);
}

static void call_encode_columns(call *one) {
  encode_task task;
  const ptrdiff_t to = size_of(one, 1, 0), blocks = size_of(one, 8, 1), columns = size_of(one, 10, 1);
  if (one->failed || to == 0) return;
  const ptrdiff_t strips = (columns + STRIP_COLUMNS - 1) / STRIP_COLUMNS, matrices = (to - 1) / blocks / strips + 1;
  if (!read_encode(one, &task, (double)matrices * (double)columns)) return;
  task.columns = columns;
  if (task.settings->block_size % 16 != 0) fail(one, "The size of a block is no multiple of 16.");
  else one->engine->level->wide->encode_columns(&task);
}

static void call_decode(call *one) {
  decode_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .terms = size_of(one, 5, 1),
      .block_size = size_of(one, 6, 1),
      .wide = flag_at(one, 7),
      .float_scales = flag_at(one, 8),
      .unit = float_at(one, 9),
      .tensor_scale = float_at(one, 10),
  };
  const double rows = (double)task.to, blocks = (double)((task.terms + task.block_size - 1) / task.block_size);
  size_of(one, 2, 0), size_of(one, 3, 0);
  if (one->failed) return;
  task.codes = bytes_at(one, one->numbers[2], rows * (double)((task.terms + 15) / 16 * 16) * (task.wide ? 2 : 1));
  task.scales = bytes_at(one, one->numbers[3], rows * blocks * (task.float_scales ? 4 : 1));
  task.out = floats_at(one, 4, rows * (double)task.terms);
  if (!one->failed) one->engine->level->common->decode(&task);
}

static void call_round_rows(call *one) {
  round_task task = {.from = size_of(one, 0, 0),
                     .to = size_of(one, 1, 0),
                     .settings = settings_at(one, 2),
                     .length = size_of(one, 6, 1)};
  const double count = (double)task.to * (double)task.length;
  task.source = floats_at(one, 3, count);
  task.target = floats_at(one, 4, count);
  if (is_stochastic(task.settings)) task.random = (const uint32_t *)floats_at(one, 5, count);
  if (!one->failed) one->engine->level->common->round_rows(&task);
}

static void call_round_slabs(call *one) {
  round_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .settings = settings_at(one, 2),
      .length = size_of(one, 6, 1),
      .blocks = size_of(one, 7, 1),
      .inner = size_of(one, 8, 1),
  };
  if (one->failed || task.from >= task.to) return;
  if ((task.blocks - 1) * task.settings->block_size >= task.length) fail(one, "There are more blocks than elements.");
  const double count = (double)((task.to - 1) / task.blocks + 1) * (double)task.length * (double)task.inner;
  task.source = floats_at(one, 3, count);
  task.target = floats_at(one, 4, count);
  if (is_stochastic(task.settings)) task.random = (const uint32_t *)floats_at(one, 5, count);
  if (!one->failed) one->engine->level->common->round_slabs(&task);
}
