// Layer normalisation (Ba et al., arXiv:1607.06450) and its gradient, in the order of `assembly/layer-norm.ts`: biased
// variance, in two passes over a row that stays in the cache.

typedef struct {
  float mean, scale;
} statistics;

static inline float row_mean(const float *x, ptrdiff_t width) {
  eight low = eight_zero(), high = eight_zero();
  ptrdiff_t i = 0;
  for (; i + 16 <= width; i += 16) {
    low = eight_add(low, eight_load(x + i));
    high = eight_add(high, eight_load(x + i + 8));
  }
  if (i == width) return sixteen_total(low, high) / (float)width;
  float four[4];
  fold_sixteen(low, high, four);
  for (; i < width; i++) four[i % 4] += x[i];
  return total_of(four) / (float)width;
}

/** The mean, and 1 / √(variance + ε). */
static NEVER_INLINE statistics statistics_of(const float *x, ptrdiff_t width, float epsilon) {
  const float mean = row_mean(x, width);
  const eight means = eight_splat(mean);
  eight low = eight_zero(), high = eight_zero();
  ptrdiff_t i = 0;
  for (; i + 16 <= width; i += 16) {
    const eight a = eight_subtract(eight_load(x + i), means), b = eight_subtract(eight_load(x + i + 8), means);
    low = eight_multiply_add(a, a, low, 1);
    high = eight_multiply_add(b, b, high, 1);
  }
  float total;
  if (i == width) total = sixteen_total(low, high);
  else {
    float four[4];
    fold_sixteen(low, high, four);
    for (; i < width; i++) four[i % 4] = fused_one(x[i] - mean, x[i] - mean, four[i % 4]);
    total = total_of(four);
  }
  return (statistics){mean, 1 / square_root_one(total / (float)width + epsilon)};
}

static inline floats normalized(floats x, statistics row) { return (x - splat(row.mean)) * splat(row.scale); }

static void layer_norm(const layer_norm_task *task) {
  const ptrdiff_t width = task->width;
  for (ptrdiff_t index = task->from; index < task->to; index++) {
    const float *x = task->x + index * width, *gain = task->gain, *bias = task->bias;
    float *out = task->out + index * width;
    const statistics row = statistics_of(x, width, task->epsilon);
    for (ptrdiff_t i = 0; i < width; i += LANES) {
      const ptrdiff_t left = width - i;
      store_some(
          out + i,
          multiply_add(normalized(load_some(x + i, left), row), load_some(gain + i, left), load_some(bias + i, left)),
          left);
    }
  }
}

/** Rows whose contributions to the gradients of gain and bias are added up in float32, before float64 takes them. */
enum { NORM_GROUP = 32 };

/** Adds float32 sums to float64 ones, and clears them. */
static inline void flush_sums(float *sums, double *totals, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) totals[i] += (double)sums[i], sums[i] = 0;
}

/**
 * What one row adds to the sums of its part, for gain and bias; the row's own are the means of gradient·gain, and of
 * that times the normalized.
 */
typedef struct {
  float scaled, inner;
} means;

static inline means add_row_to_sums(const float *x, const float *gain, const float *dy, statistics row,
                                    float *gain_sums, float *bias_sums, ptrdiff_t width) {
  const eight mean = eight_splat(row.mean), scale = eight_splat(row.scale);
  eight scaled_sums = eight_zero(), inner_sums = eight_zero();
  ptrdiff_t i = 0;
  for (; i + 8 <= width; i += 8) {
    const eight upstream = eight_load(dy + i), scaled = eight_multiply(upstream, eight_load(gain + i));
    const eight own = eight_multiply(eight_subtract(eight_load(x + i), mean), scale);
    eight_store(gain_sums + i, eight_multiply_add(upstream, own, eight_load(gain_sums + i), 1));
    eight_store(bias_sums + i, eight_add(eight_load(bias_sums + i), upstream));
    scaled_sums = eight_add(scaled_sums, scaled);
    inner_sums = eight_multiply_add(scaled, own, inner_sums, 1);
  }
  if (i == width) return (means){eight_total(scaled_sums) / (float)width, eight_total(inner_sums) / (float)width};
  float scaled_four[4], inner_four[4];
  fold_eight(scaled_sums, scaled_four);
  fold_eight(inner_sums, inner_four);
  for (; i < width; i++) {
    const float own = (x[i] - row.mean) * row.scale, scaled = dy[i] * gain[i];
    gain_sums[i] = fused_one(dy[i], own, gain_sums[i]);
    bias_sums[i] += dy[i];
    scaled_four[i % 4] += scaled;
    inner_four[i % 4] = fused_one(scaled, own, inner_four[i % 4]);
  }
  return (means){total_of(scaled_four) / (float)width, total_of(inner_four) / (float)width};
}

static void layer_norm_gradient(const layer_norm_gradient_task *task) {
  const ptrdiff_t width = task->width, padded = (width + 3) / 4 * 4;
  const float *gain = task->gain;
  for (ptrdiff_t part = task->from; part < task->to; part++) {
    float *gain_sums = task->scratch + part * 2 * padded, *bias_sums = gain_sums + padded;
    double *gain_totals = task->totals + part * 2 * padded, *bias_totals = gain_totals + padded;
    memset(gain_sums, 0, 2 * (size_t)padded * sizeof *gain_sums);
    memset(gain_totals, 0, 2 * (size_t)padded * sizeof *gain_totals);
    const ptrdiff_t first = part * NORM_PART_ROWS;
    const ptrdiff_t count = task->rows - first < NORM_PART_ROWS ? task->rows - first : NORM_PART_ROWS;
    for (ptrdiff_t index = 0; index < count; index++) {
      const float *x = task->x + (first + index) * width, *dy = task->dy + (first + index) * width;
      float *out = task->out + (first + index) * width;
      const statistics row = statistics_of(x, width, task->epsilon);
      const means of = add_row_to_sums(x, gain, dy, row, gain_sums, bias_sums, width);
      for (ptrdiff_t i = 0; i < width; i += LANES) {
        const floats scaled = load_some(dy + i, width - i) * load_some(gain + i, width - i);
        const floats pull = normalized(load_some(x + i, width - i), row) * splat(of.inner);
        store_some(out + i, (scaled - splat(of.scaled) - pull) * splat(row.scale), width - i);
      }
      if (index % NORM_GROUP == NORM_GROUP - 1) {
        flush_sums(gain_sums, gain_totals, width);
        flush_sums(bias_sums, bias_totals, width);
      }
    }
    flush_sums(gain_sums, gain_totals, width);
    flush_sums(bias_sums, bias_totals, width);
  }
}
