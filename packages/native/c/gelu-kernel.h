// GELU (Hendrycks & Gimpel, arXiv:1606.08415), its tanh form, and their gradients: each is ½ plus an odd function of x,
// a quotient of polynomials. The tables are those of `assembly/gelu.ts`: beyond which |x| the function is constant,
// then the coefficients of x²ⁿ, the highest first, of the numerator and the denominator.

static const float gelu_exact[] = {
    5.840000152587891f,
    2.0914443510378078e-8f,
    6.314311576716136e-6f,
    1.8163946515414864e-4f,
    4.755049012601376e-3f,
    3.524342179298401e-2f,
    3.989422619342804e-1f,
    1.1407651072659064e-6f,
    7.706381438765675e-5f,
    1.9584603141993284e-3f,
    2.942204289138317e-2f,
    2.5500819087028503e-1f,
    1.0f,
};
static const float gelu_tanh[] = {
    5.21999979019165f,
    2.3519440617292275e-8f,
    7.008645297901239e-6f,
    1.3540276268031448e-4f,
    3.6433355417102575e-3f,
    3.0667977407574654e-2f,
    3.989422917366028e-1f,
    1.2969189810974058e-6f,
    7.608457963215187e-5f,
    1.3092936715111136e-3f,
    2.448909915983677e-2f,
    2.443651556968689e-1f,
    1.0f,
};
static const float gelu_exact_gradient[] = {
    6.199999809265137f,    -3.0153379793063095e-11f, 1.4672696835305032e-8f, 1.3716498870053329e-6f,
    3.207169720553793e-5f, 3.785998560488224e-4f,    1.3367464765906334e-2f, -1.2864972464740276e-2f,
    7.978845238685608e-1f, 4.3096312651869084e-7f,   1.205310854857089e-5f,  2.81914253719151e-4f,
    4.416906740516424e-3f, 4.749142751097679e-2f,    3.172090947628021e-1f,  1.0f,
};
static const float gelu_tanh_gradient[] = {
    5.570000171661377f,     -3.642170245954368e-11f, 9.84415038374209e-9f,   4.884110538228015e-8f,
    2.9650180294993334e-5f, -3.062319883611053e-4f,  1.3558325357735157e-2f, -5.092789977788925e-2f,
    7.978845834732056e-1f,  1.4374991508248058e-7f,  3.858940999634797e-6f,  1.2283081014174968e-4f,
    1.6994776669889688e-3f, 3.1110700219869614e-2f,  2.7115440368652344e-1f, 1.0f,
};

static inline floats within(floats x, floats reach) { return pick_least(pick_greatest(x, negative(reach)), reach); }

/** The coefficients `table` at x, Horner's rule. `count` is a constant. */
static inline ALWAYS_INLINE floats polynomial(const float *table, int count, floats x) {
  floats p = splat(table[0]);
  for (int i = 1; i < count; i++) p = multiply_add(p, x, splat(table[i]));
  return p;
}

/** Φ(x) − ½, or what stands for it, kept within ±½. */
static inline ALWAYS_INLINE floats odd_part(const float *table, floats x) {
  x = within(x, splat(table[0]));
  const floats square = x * x, p = polynomial(table + 1, 6, square), q = polynomial(table + 7, 6, square);
  return within(x * p / q, splat(0.5f));
}

/** Where it is constant, it is ±½ exactly. */
static inline ALWAYS_INLINE floats odd_part_of_gradient(const float *table, floats x) {
  x = within(x, splat(table[0]));
  const floats square = x * x;
  return x * polynomial(table + 1, 8, square) / polynomial(table + 9, 7, square);
}

static NEVER_INLINE void gelu_forward(const gelu_task *task, const float *table) {
  const ptrdiff_t to = task->to;
  for (ptrdiff_t i = task->from; i < to; i += LANES) {
    const floats x = load_some(task->x + i, to - i);
    store_some(task->out + i, x * (odd_part(table, x) + splat(0.5f)), to - i);
  }
}

static NEVER_INLINE void gelu_backward(const gelu_task *task, const float *table) {
  const ptrdiff_t to = task->to;
  for (ptrdiff_t i = task->from; i < to; i += LANES) {
    const floats slope = odd_part_of_gradient(table, load_some(task->x + i, to - i)) + splat(0.5f);
    store_some(task->out + i, load_some(task->dy + i, to - i) * slope, to - i);
  }
}

static void gelu(const gelu_task *task) {
  if (task->dy == NULL) gelu_forward(task, task->tanh ? gelu_tanh : gelu_exact);
  else gelu_backward(task, task->tanh ? gelu_tanh_gradient : gelu_exact_gradient);
}
