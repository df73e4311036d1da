// Cross-entropy of logits and its gradient, in the order of `assembly/cross-entropy.ts`. A label out of range gives
// NaN.

#define NOT_A_NUMBER __builtin_nanf("")

static inline float first_logarithm(float x) {
  float lanes[LANES];
  store(lanes, logarithm(splat(x)));
  return lanes[0];
}

static inline void cross_entropy_row(const float *x, ptrdiff_t label, float *out, ptrdiff_t classes) {
  const float largest = scaled_maximum(x, classes, 1);
  const float sum = exponential_sum(x, NULL, classes, 1, -largest);
  *out = first_logarithm(sum) + (largest - x[label]);
}

static inline void cross_entropy_gradient_row(const float *x, ptrdiff_t label, float dy, float *out,
                                              ptrdiff_t classes) {
  const float largest = scaled_maximum(x, classes, 1);
  // softmax − 1 at the label, as minus the sum of the others: no cancellation when the label is nearly certain.
  const float before = exponential_sum(x, out, label, 1, -largest);
  const float after = exponential_sum(x + label + 1, out + label + 1, classes - label - 1, 1, -largest);
  float lanes[LANES];
  store(lanes, exponential_of_negative(splat(x[label] - largest)));
  const float others = before + after, scale = dy / (others + lanes[0]);
  out[label] = 0;
  multiply_row(out, classes, scale);
  out[label] = -others * scale;
}

static void cross_entropy(const cross_entropy_task *task) {
  const ptrdiff_t classes = task->classes;
  for (ptrdiff_t row = task->from; row < task->to; row++) {
    const float *x = task->logits + row * classes;
    const ptrdiff_t label = task->labels[row];
    const int known = label >= 0 && label < classes;
    if (task->dy == NULL) {
      if (known) cross_entropy_row(x, label, task->out + row, classes);
      else task->out[row] = NOT_A_NUMBER;
      continue;
    }
    float *out = task->out + row * classes;
    if (known) cross_entropy_gradient_row(x, label, task->dy[row], out, classes);
    else
      for (ptrdiff_t i = 0; i < classes; i++) out[i] = NOT_A_NUMBER;
  }
}
