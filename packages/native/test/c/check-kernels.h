// Kernels of random numbers, element by element and row by row: see `compare.h`.
#include "compare.h"

/** Numbers of both signs, in which a few are special. */
static float *random_values(ptrdiff_t count, int extreme) {
  static const float special[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 0x1p-149f, -0x1p-130f, 0x1p127f};
  float *values = take((size_t)count * sizeof *values);
  for (ptrdiff_t i = 0; i < count; i++) {
    values[i] = (float)(random_below(1 << 20) - (1 << 19)) * 0x1p-17f;
    if (extreme && random_below(10) == 0) values[i] = special[random_below(8)];
    if (extreme && random_below(10) == 0) values[i] = ldexpf(values[i], random_below(250) - 130);
  }
  return values;
}

static random_key random_key_of(void) {
  return (random_key){(uint32_t)state, (uint32_t)(state >> 32), (uint32_t)(state >> 7), (uint32_t)(state >> 13),
                      (uint32_t)(state >> 19)};
}

static void run_unary(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((unary_task *)task)->out = outs[0], one->common->unary(task);
}
static void run_gelu(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((gelu_task *)task)->out = outs[0], one->wide->gelu(task);
}
static void run_random(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((random_task *)task)->target = outs[0], one->wide->random(task);
}
static void run_lmd_draw(const level *one, void *task, float *const *outs, workspace *space) {
  ((lmd_draw_task *)task)->out = outs[0], one->wide->lmd_draw(task, space);
}
static void run_lmd_update(const level *one, void *task, float *const *outs, workspace *space) {
  lmd_update_task *own = task;
  own->plus.out_log = outs[0], own->minus.out_log = outs[1], own->plus.out_momentum = outs[2],
  own->minus.out_momentum = outs[3];
  one->wide->lmd_update(own, space);
}
static void run_adamw(const level *one, void *task, float *const *outs, workspace *space) {
  adamw_task *own = task;
  (void)space, own->out_weights = outs[0], own->out_first = outs[1], own->out_second = outs[2], one->common->adamw(own);
}
static void run_softmax(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((softmax_task *)task)->out = outs[0], one->wide->softmax(task);
}
static void run_softmax_gradient(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((softmax_gradient_task *)task)->out = outs[0], one->common->softmax_gradient(task);
}
static void run_cross_entropy(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((cross_entropy_task *)task)->out = outs[0], one->wide->cross_entropy(task);
}
static void run_layer_norm(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((layer_norm_task *)task)->out = outs[0], one->common->layer_norm(task);
}
static void run_layer_norm_gradient(const level *one, void *task, float *const *outs, workspace *space) {
  layer_norm_gradient_task *own = task;
  (void)space, own->out = outs[0], own->totals = (double *)outs[1], one->common->layer_norm_gradient(own);
}

static int check_elements(workspace *space) {
  const ptrdiff_t n = random_extent() + random_below(100);
  const ptrdiff_t from = random_below((int)n / 4 + 1) * 4;
  float *x = random_values(n, random_below(2)), *y = random_values(n, 0);
  unary_task unary = {.from = from, .to = n, .operation = (unary_operation)random_below(UNARY_COUNT), .x = x};
  gelu_task gelu = {.from = from, .to = n, .x = x, .dy = random_below(2) ? y : NULL, .tanh = random_below(2)};
  random_task random = {.from = from, .to = n, .kind = (random_kind)random_below(RANDOM_COUNT), .key = random_key_of()};
  const ptrdiff_t sizes[MOST_OUTPUTS] = {n};
  const int failed = compare("unary", run_unary, &unary, sizes, space) ||
                     compare("gelu", run_gelu, &gelu, sizes, space) ||
                     compare("random", run_random, &random, sizes, space);
  if (failed)
    printf("from %td to %td, operation %d, tanh %d, kind %d\n", from, n, unary.operation, gelu.tanh, random.kind);
  free(x), free(y);
  return failed;
}

static int check_optimizers(workspace *space) {
  const ptrdiff_t n = random_below(3) == 0 ? 1000 + random_below(1500) : random_extent();
  const ptrdiff_t from = n > 1024 ? 1024 * random_below(2) : 0;
  const int scaled = random_below(2), samples = 1 + random_below(2), extreme = random_below(4) == 0;
  float *log_plus = random_values(n, extreme), *log_minus = random_values(n, 0), *first = random_values(n, 0),
        *second = random_values(n, 0);
  // The table has addresses in one memory.
  float *gradients = random_values(samples * n, 0);
  uint32_t table[2 * SAMPLE_WORDS];
  for (int s = 0; s < samples; s++) {
    const random_key key = random_key_of();
    const uint32_t words[SAMPLE_WORDS] = {(uint32_t)(4 * s * n), key.stream,   key.step, key.sample,
                                          key.seed_low,          key.seed_high};
    memcpy(table + SAMPLE_WORDS * s, words, sizeof words);
  }
  const float noise = random_below(3) == 0 ? 0 : 0.1f;
  lmd_draw_task draw = {
      .from = from, .to = n, .log_plus = log_plus, .log_minus = log_minus, .noise = noise, .key = random_key_of()};
  lmd_update_task update = {.from = from,
                            .to = n,
                            .plus = {.log = log_plus, .momentum = first},
                            .minus = {.log = log_minus, .momentum = scaled ? second : NULL},
                            .memory = (const uint8_t *)gradients,
                            .table = table,
                            .samples = samples,
                            .share = 1.0f / (float)samples,
                            .noise = noise,
                            .learning_rate = 0.01f,
                            .beta1 = 0.9f,
                            .rest1 = 0.1f,
                            .beta2 = 0.99f,
                            .rest2 = 0.01f,
                            .regularization = 0.3f,
                            .regularizer = (regularizer_kind)random_below(REGULARIZER_COUNT),
                            .log_prior_median = -0.7f,
                            .use_sign = random_below(2)};
  adamw_task adamw = {.from = from,
                      .to = n,
                      .weights = log_plus,
                      .first = first,
                      .second = second,
                      .gradient = gradients,
                      .beta1 = 0.9f,
                      .rest1 = 0.1f,
                      .beta2 = 0.999f,
                      .rest2 = 1e-3f,
                      .rate = 1e-3f,
                      .second_scale = 1.3f,
                      .epsilon = 1e-8f,
                      .kept = 0.99f};
  const ptrdiff_t one[MOST_OUTPUTS] = {n}, three[MOST_OUTPUTS] = {n, n, n}, four[MOST_OUTPUTS] = {n, n, n, n};
  const int failed = compare("lmdDraw", run_lmd_draw, &draw, one, space) ||
                     compare("lmdUpdate", run_lmd_update, &update, scaled ? four : three, space) ||
                     compare("adamwUpdate", run_adamw, &adamw, three, space);
  if (failed)
    printf("from %td to %td, scaled %d, samples %d, regularizer %d\n", from, n, scaled, samples, update.regularizer);
  free(log_plus), free(log_minus), free(first), free(second), free(gradients);
  return failed;
}

static int check_rows(workspace *space) {
  const ptrdiff_t rows = 1 + random_below(6), width = random_below(5) == 0 ? 500 + random_below(40) : random_extent(),
                  count = rows * width;
  float *x = random_values(count, random_below(3) == 0), *dy = random_values(count, 0), *gain = random_values(width, 0);
  float *bias = random_values(width, 0);
  int32_t *labels = take((size_t)rows * sizeof *labels);
  for (ptrdiff_t i = 0; i < rows; i++) labels[i] = random_below((int)width + 2) - 1;
  const ptrdiff_t from = random_below((int)rows), padded = (width + 3) / 4 * 4;
  float *scratch = take(2 * (size_t)padded * sizeof *scratch);
  softmax_task softmax = {.from = from,
                          .to = rows,
                          .x = x,
                          .width = width,
                          .height = 1 + random_below(3),
                          .scale = 0.3f,
                          .causal = random_below(2)};
  softmax_gradient_task gradient = {.from = from, .to = rows, .y = x, .dy = dy, .width = width, .scale = 0.3f};
  cross_entropy_task loss = {.from = from, .to = rows, .logits = x, .labels = labels, .classes = width};
  layer_norm_task norm = {
      .from = from, .to = rows, .x = x, .gain = gain, .bias = bias, .width = width, .epsilon = 1e-5f};
  layer_norm_gradient_task norm_gradient = {
      .to = 1, .x = x, .gain = gain, .dy = dy, .scratch = scratch, .rows = rows, .width = width, .epsilon = 1e-5f};
  const ptrdiff_t all[MOST_OUTPUTS] = {count}, each[MOST_OUTPUTS] = {rows}, sums[MOST_OUTPUTS] = {count, 4 * padded};
  int failed = compare("softmax", run_softmax, &softmax, all, space) ||
               compare("softmaxGradient", run_softmax_gradient, &gradient, all, space) ||
               compare("crossEntropy", run_cross_entropy, &loss, each, space);
  loss.dy = dy;
  failed = failed || compare("crossEntropyGradient", run_cross_entropy, &loss, all, space) ||
           compare("layerNorm", run_layer_norm, &norm, all, space) ||
           compare("layerNormGradient", run_layer_norm_gradient, &norm_gradient, sums, space);
  if (failed) printf("rows %td to %td of %td\n", from, rows, width);
  free(x), free(dy), free(gain), free(bias), free(labels), free(scratch);
  return failed;
}

static void run_coded_attention(const level *one, void *task, float *const *outs, workspace *space) {
  coded_attention_task *own = task;
  own->out = outs[0], coded_attention(one, own, space);
}

static int check_coded_attention(workspace *space) {
  // Kinds, bits of mantissa and least exponents of E2M1, E3M2, E4M3, E5M2, E2M3 and INT8.
  static const int elements[][3] = {{CODED_NIBBLES, 1, 0},  {CODED_BYTES, 2, -2},   {CODED_BYTES, 3, -6},
                                    {CODED_BYTES, 2, -14}, {CODED_INTEGERS, 3, 0}, {CODED_INTEGERS, 6, 0}};
  const int element = random_below(6);
  const ptrdiff_t width = random_extent(), size = 1 + random_below((int)width), matrices = 1 + random_below(2);
  coded_attention_task task = {.heads = 1 + random_below(3),
                               .keys = 1 + random_below(70),
                               .scale = 0.3f,
                               .rows = {.width = width,
                                        .size = size,
                                        .kind = (coded_kind)elements[element][0],
                                        .mantissa_bits = elements[element][1],
                                        .emin = elements[element][2]}};
  task.to = matrices * task.heads, task.from = random_below((int)task.to);
  const ptrdiff_t bytes = bytes_of_row(&task.rows), blocks = blocks_of_row(&task.rows),
                  lines = matrices * 2 * task.heads * task.keys;
  uint8_t *codes = take((size_t)(lines * bytes));
  for (ptrdiff_t i = 0; i < lines * bytes; i++) codes[i] = (uint8_t)random_below(256);
  for (ptrdiff_t line = 0; line < lines; line++) {
    uint8_t *scales = codes + line * bytes + blocks * bytes_of_block(&task.rows);
    for (ptrdiff_t i = 0; i < blocks; i++)
      scales[i] = (uint8_t)(random_below(1000) == 0 ? 255 : random_below(20) == 0 ? 0 : 110 + random_below(20));
  }
  float *query = random_floats(task.to * width);
  task.query = query, task.rows.codes = codes;
  const ptrdiff_t values[MOST_OUTPUTS] = {task.to * width};
  const int failed = compare("codedAttention", run_coded_attention, &task, values, space);
  if (failed) printf("element %d, keys %td, width %td, size %td\n", element, task.keys, width, size);
  free(codes), free(query);
  return failed;
}

static int check_kernels(workspace *space) {
  return check_elements(space) || check_optimizers(space) || check_rows(space) || check_coded_attention(space);
}
