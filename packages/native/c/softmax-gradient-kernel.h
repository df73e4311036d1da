// The gradient of softmax, in the order of `assembly/softmax.ts`.

/** Σ a·b of `count` values. */
static inline float inner_product(const float *a, const float *b, ptrdiff_t count) {
  eight sums = eight_zero();
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) sums = eight_multiply_add(eight_load(a + i), eight_load(b + i), sums, 1);
  if (i == count) return eight_total(sums);
  float four[4];
  fold_eight(sums, four);
  for (; i < count; i++) four[i % 4] = fused_one(a[i], b[i], four[i % 4]);
  return total_of(four);
}

static void softmax_gradient(const softmax_gradient_task *task) {
  const ptrdiff_t width = task->width;
  for (ptrdiff_t row = task->from; row < task->to; row++) {
    const float *y = task->y + row * width, *dy = task->dy + row * width;
    float *out = task->out + row * width;
    const float inner = inner_product(y, dy, width);
    for (ptrdiff_t i = 0; i < width; i += LANES) {
      const floats centred = load_some(dy + i, width - i) - splat(inner);
      store_some(out + i, load_some(y + i, width - i) * splat(task->scale) * centred, width - i);
    }
  }
}
