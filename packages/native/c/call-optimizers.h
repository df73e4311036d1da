// Random numbers, draws and updates, called from JavaScript.
#ifndef LMD_CALL_OPTIMIZERS_H
#define LMD_CALL_OPTIMIZERS_H

#include "arguments.h"

/** From argument `first` on. */
static random_key read_key(call *one, int first) {
  return (random_key){
      .stream = word_at(one, first),
      .step = word_at(one, first + 1),
      .sample = word_at(one, first + 2),
      .seed_low = word_at(one, first + 3),
      .seed_high = word_at(one, first + 4),
  };
}

/** The first of what is drawn: a whole block of the counter's. */
static ptrdiff_t first_drawn(call *one) {
  const ptrdiff_t from = size_of(one, 0, 0);
  if (from % 4 != 0) fail(one, "A part does not begin at a multiple of 4.");
  return from;
}

static void call_random(call *one) {
  random_task task = {
      .from = first_drawn(one),
      .to = size_of(one, 1, 0),
      .kind = (random_kind)choice_at(one, 2, RANDOM_COUNT),
      .key = read_key(one, 4),
  };
  task.target = floats_at(one, 3, (double)task.to);
  if (!one->failed) one->engine->level->wide->random(&task);
}

static void call_lmd_draw(call *one) {
  lmd_draw_task task = {
      .from = first_drawn(one), .to = size_of(one, 1, 0), .noise = float_at(one, 5), .key = read_key(one, 6)};
  const double to = (double)task.to;
  task.log_plus = floats_at(one, 2, to);
  task.log_minus = floats_at(one, 3, to);
  task.out = floats_at(one, 4, to);
  if (!one->failed) one->engine->level->wide->lmd_draw(&task, one->engine->space);
}

static void call_lmd_update(call *one) {
  lmd_update_task task = {
      .from = first_drawn(one),
      .to = size_of(one, 1, 0),
      .samples = (int)size_of(one, 11, 0),
      .share = float_at(one, 12),
      .noise = float_at(one, 13),
      .learning_rate = float_at(one, 14),
      .beta1 = float_at(one, 15),
      .rest1 = float_at(one, 16),
      .beta2 = float_at(one, 17),
      .rest2 = float_at(one, 18),
      .regularization = float_at(one, 19),
      .regularizer = (regularizer_kind)choice_at(one, 20, REGULARIZER_COUNT),
      .log_prior_median = float_at(one, 21),
      .use_sign = flag_at(one, 22),
  };
  const double to = (double)task.to;
  task.plus = (lmd_half){floats_at(one, 2, to), floats_at(one, 4, to), floats_at(one, 6, to), floats_at(one, 8, to)};
  task.minus =
      (lmd_half){floats_at(one, 3, to), floats_or_none(one, 5, to), floats_at(one, 7, to), floats_or_none(one, 9, to)};
  if ((task.minus.momentum == NULL) != (task.minus.out_momentum == NULL)) fail(one, "Momentum has no place to go to.");
  task.table = (const uint32_t *)floats_at(one, 10, SAMPLE_WORDS * (double)task.samples);
  task.memory = one->memory;
  for (int i = 0; i < task.samples && !one->failed; i++) {
    const double address = task.table[SAMPLE_WORDS * i];
    if (task.table[SAMPLE_WORDS * i] % sizeof(float) != 0)
      fail(one, "An address is no multiple of its element's size.");
    bytes_at(one, address, to * sizeof(float));
  }
  if (!one->failed) one->engine->level->wide->lmd_update(&task, one->engine->space);
}

static void call_adamw(call *one) {
  adamw_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .beta1 = float_at(one, 9),
      .rest1 = float_at(one, 10),
      .beta2 = float_at(one, 11),
      .rest2 = float_at(one, 12),
      .rate = float_at(one, 13),
      .second_scale = float_at(one, 14),
      .epsilon = float_at(one, 15),
      .kept = float_at(one, 16),
  };
  const double to = (double)task.to;
  task.weights = floats_at(one, 2, to);
  task.first = floats_at(one, 3, to);
  task.second = floats_at(one, 4, to);
  task.gradient = floats_at(one, 5, to);
  task.out_weights = floats_at(one, 6, to);
  task.out_first = floats_at(one, 7, to);
  task.out_second = floats_at(one, 8, to);
  if (!one->failed) one->engine->level->common->adamw(&task);
}

#endif
