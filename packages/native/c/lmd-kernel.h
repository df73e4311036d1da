// Draws and updates of LMD, in the order of `assembly/optimizers.ts`.

/** Floats of a cache line. */
enum { LINE_FLOATS = 16 };

/**
 * Arrays that are read or written next. They are fetched while noise is computed: a block fills a page, and processors
 * fetch ahead by themselves within a page alone.
 */
typedef struct {
  const float *arrays[9];
  int count;
} needed_next;

static inline ALWAYS_INLINE void fetch_ahead(const needed_next *next, ptrdiff_t at) {
  for (int k = 0; k < next->count; k++) {
    for (int i = 0; i < DRAWN; i += LINE_FLOATS) __builtin_prefetch(next->arrays[k] + at + i);
  }
}

/** Normals of `count` elements from `start` on, for both halves; zeros where there is no noise. */
static void draw_noise(workspace *space, random_key key, float noise, ptrdiff_t start, ptrdiff_t count,
                       const needed_next *next) {
  if (noise == 0) {
    memset(space->noise_plus, 0, sizeof space->noise_plus);
    memset(space->noise_minus, 0, sizeof space->noise_minus);
    return;
  }
  const schedule plus = schedule_of(key);
  key.stream = ~key.stream;
  const schedule minus = schedule_of(key);
  for (ptrdiff_t i = 0; i < count; i += DRAWN) {
    const uint32_t group = (uint32_t)(start + i) / 4;
    fetch_ahead(next, start + i);
    draw_normals((blocks_at){&plus, group}, space->noise_plus + i, (blocks_at){&minus, group}, space->noise_minus + i);
  }
}

/** θ = exp(l + σ·e). */
static inline ALWAYS_INLINE floats magnitude(floats log, const float *noise, float deviation) {
  return normal_exponential(multiply_add(splat(deviation), load(noise), log));
}

static ptrdiff_t block_from(ptrdiff_t start, ptrdiff_t to) {
  return to - start < WEIGHT_BLOCK ? to - start : WEIGHT_BLOCK;
}

static void lmd_draw(const lmd_draw_task *task, workspace *space) {
  // Three arrays, which processors fetch ahead well enough.
  const needed_next none = {.count = 0};
  for (ptrdiff_t start = task->from; start < task->to; start += WEIGHT_BLOCK) {
    const ptrdiff_t count = block_from(start, task->to);
    draw_noise(space, task->key, task->noise, start, count, &none);
    for (ptrdiff_t i = 0; i < count; i += LANES) {
      const floats plus =
          magnitude(load_some(task->log_plus + start + i, count - i), space->noise_plus + i, task->noise);
      const floats minus =
          magnitude(load_some(task->log_minus + start + i, count - i), space->noise_minus + i, task->noise);
      store_some(task->out + start + i, plus - minus, count - i);
    }
  }
}

/** R of the prior at log(m/m₀). */
static inline ALWAYS_INLINE floats regularizer_at(regularizer_kind kind, floats log_ratio) {
  if (kind == LOG_NORMAL) return log_ratio;
  if (kind == POWER) return splat(1);
  return exponential(log_ratio * splat(kind == EXPONENTIAL ? 1 : 2));
}

/** Adds share·θ·g to the gradients of both halves. */
static void add_scaled(const lmd_update_task *task, workspace *space, const float *gradient, ptrdiff_t start,
                       ptrdiff_t count) {
  const floats share = splat(task->share);
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    const floats g = load_some(gradient + start + i, count - i);
    const floats plus = magnitude(load_some(task->plus.log + start + i, count - i), space->noise_plus + i, task->noise);
    const floats minus =
        magnitude(load_some(task->minus.log + start + i, count - i), space->noise_minus + i, task->noise);
    store(space->gradient_plus + i, load(space->gradient_plus + i) + plus * g * share);
    store(space->gradient_minus + i, load(space->gradient_minus + i) + minus * g * negative(share));
  }
}

/** Adds share·g to the gradient that both halves have. */
static void add_plain(const lmd_update_task *task, workspace *space, const float *gradient, ptrdiff_t start,
                      ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    const floats term = load_some(gradient + start + i, count - i) * splat(task->share);
    store(space->gradient_plus + i, load(space->gradient_plus + i) + term);
  }
}

/** One half's momentum and logarithm, of one block. */
static NEVER_INLINE void update_half(const lmd_update_task *task, const lmd_half *half, const float *momentum,
                                     const float *gradient, float sign, ptrdiff_t start, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    const ptrdiff_t at = start + i, left = count - i;
    const floats l = load_some(half->log + at, left), v = load_some(momentum + at, left), g = load(gradient + i);
    const floats temporary = splat(task->beta1) * v + splat(task->rest1) * g;
    if (half->out_momentum != NULL)
      store_some(half->out_momentum + at, splat(task->beta2) * v + splat(task->rest2) * g, left);
    const floats step = (task->use_sign ? sign_of(temporary) : temporary) * splat(sign);
    const floats pull = regularizer_at(task->regularizer, l - splat(task->log_prior_median));
    store_some(half->out_log + at,
               l - splat(task->learning_rate) * multiply_add(splat(task->regularization), pull, step), left);
  }
}

static void lmd_update(const lmd_update_task *task, workspace *space) {
  const int scaled = task->minus.momentum != NULL;
  for (ptrdiff_t start = task->from; start < task->to; start += WEIGHT_BLOCK) {
    const ptrdiff_t count = block_from(start, task->to);
    memset(space->gradient_plus, 0, sizeof space->gradient_plus);
    memset(space->gradient_minus, 0, sizeof space->gradient_minus);
    for (int s = 0; s < task->samples; s++) {
      const uint32_t *sample = task->table + SAMPLE_WORDS * s;
      const float *own = (const float *)(task->memory + sample[0]);
      const random_key key = {
          .stream = sample[1], .step = sample[2], .sample = sample[3], .seed_low = sample[4], .seed_high = sample[5]};
      const needed_next next = {
          .arrays = {own, task->plus.log, task->minus.log, task->plus.momentum, task->minus.momentum,
                     task->plus.out_log, task->minus.out_log, task->plus.out_momentum, task->minus.out_momentum},
          // Those of the update are there after the first sample.
          .count = s == 0 ? 9 : 1,
      };
      if (scaled) draw_noise(space, key, task->noise, start, count, &next);
      (scaled ? add_scaled : add_plain)(task, space, own, start, count);
    }
    const float *momentum = scaled ? task->minus.momentum : task->plus.momentum;
    const float *gradient = scaled ? space->gradient_minus : space->gradient_plus;
    update_half(task, &task->plus, task->plus.momentum, space->gradient_plus, 1, start, count);
    update_half(task, &task->minus, momentum, gradient, scaled ? 1 : -1, start, count);
  }
}
