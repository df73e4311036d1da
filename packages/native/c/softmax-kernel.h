// Softmax, in the order of `assembly/softmax.ts` and the sums of `assembly/exponential.ts`.

/** The largest of `count` values times `scale`; −Infinity of nothing. A NaN may be passed over: it shows in the sum. */
static NEVER_INLINE float scaled_maximum(const float *x, ptrdiff_t count, float scale) {
  const floats lowest = splat(-__builtin_inff());
  floats largest = lowest, second = lowest;
  ptrdiff_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES) {
    largest = pick_greatest(largest, load(x + i) * splat(scale));
    second = pick_greatest(second, load(x + i + LANES) * splat(scale));
  }
  largest = pick_greatest(largest, second);
  for (; i + LANES <= count; i += LANES) largest = pick_greatest(largest, load(x + i) * splat(scale));
  float found = greatest_lane(largest);
  for (; i < count; i++) {
    const float value = x[i] * scale;
    if (value > found) found = value;
  }
  return found;
}

/** e^(scale·x + shift), of numbers up to 0; not fused: the largest value's exponent must be 0 exactly. */
static NEVER_INLINE void shifted_exponentials(const float *x, float *out, ptrdiff_t count, float scale, float shift) {
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    store_some(out + i, exponential_of_negative(load_some(x + i, count - i) * splat(scale) + splat(shift)), count - i);
  }
}

/** Values whose exponentials are added up at once, a multiple of 8, where they are not kept. */
enum { SUMMED = 512 };

/** Σ e^(scale·x + shift) of `count` values, of numbers up to 0; each term goes to `out` too, where that is not NULL. */
static float exponential_sum(const float *x, float *out, ptrdiff_t count, float scale, float shift) {
  float aside[SUMMED];
  eight sums = eight_zero();
  float lanes[8];
  // Of no values, too.
  eight_store(lanes, sums);
  ptrdiff_t i = 0;
  for (ptrdiff_t first = 0; first < count; first += SUMMED) {
    const ptrdiff_t here = count - first < SUMMED ? count - first : SUMMED;
    float *terms = out == NULL ? aside : out + first;
    shifted_exponentials(x + first, terms, here, scale, shift);
    for (i = 0; i + 8 <= here; i += 8) sums = eight_add(sums, eight_load(terms + i));
    if (first + here < count) continue;
    if (i == here) return eight_total(sums);
    eight_store(lanes, sums);
    // Four more go to the first lanes before the halves are added, the last ones afterwards.
    if (here - i >= 4) {
      for (int j = 0; j < 4; j++) lanes[j] += terms[i + j];
      i += 4;
    }
    for (int j = 0; j < 4; j++) lanes[j] += lanes[j + 4];
    for (int j = 0; i + j < here; j++) lanes[j] += terms[i + j];
  }
  return total_of(lanes);
}

static void multiply_row(float *row, ptrdiff_t count, float factor) {
  for (ptrdiff_t i = 0; i < count; i += LANES)
    store_some(row + i, load_some(row + i, count - i) * splat(factor), count - i);
}

static void softmax(const softmax_task *task) {
  const ptrdiff_t width = task->width;
  for (ptrdiff_t row = task->from; row < task->to; row++) {
    const float *x = task->x + row * width;
    float *out = task->out + row * width;
    const ptrdiff_t seen = row % task->height + 1, visible = task->causal && seen < width ? seen : width;
    const float shift = -scaled_maximum(x, visible, task->scale);
    const float sum = exponential_sum(x, out, visible, task->scale, shift);
    multiply_row(out, visible, 1 / sum);
    memset(out + visible, 0, (size_t)(width - visible) * sizeof *out);
  }
}
