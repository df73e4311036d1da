// Operations element by element, of two operands that may be repeated. The numbers are those of `assembly/elementwise.ts`.

/** The larger one, NaN where there is one; +0 is larger than −0. */
static inline floats maximum(floats a, floats b) {
  // Equal numbers differ in the sign of zero at most.
  const floats larger = select_floats(is_less(b, a), a, select_floats(is_equal(a, b), floats_of(bits_of(a) & bits_of(b)), b));
  return select_floats(is_equal(a, a) & is_equal(b, b), larger, a + b);
}

static inline ALWAYS_INLINE floats binary_of(binary_operation operation, floats a, floats b) {
  switch (operation) {
    case ADD: return a + b;
    case SUBTRACT: return a - b;
    case MULTIPLY: return a * b;
    case DIVIDE: return a / b;
    case MAXIMUM: return maximum(a, b);
    case MINIMUM: return negative(maximum(negative(a), negative(b)));
    case EQUAL: return floats_of(is_equal(a, b) & 1u);
    case GREATER: return floats_of(is_less(b, a) & 1u);
    case LESS: return floats_of(is_less(a, b) & 1u);
    case EQUAL_INTEGERS: return floats_of(is_same(bits_of(a), bits_of(b)) & 1u);
    case GREATER_INTEGERS: return floats_of(is_less_signed(bits_of(b), bits_of(a)) & 1u);
    default: return floats_of(is_less_signed(bits_of(a), bits_of(b)) & 1u);
  }
}

/** A row of `width` results; an operand with step 0 is one value. */
static inline ALWAYS_INLINE void binary_row(binary_operation operation, const float *a, ptrdiff_t step_a, const float *b,
                                            ptrdiff_t step_b, float *out, ptrdiff_t width) {
  float repeated_a[LANES], repeated_b[LANES];
  if (step_a == 0) store(repeated_a, splat(*a)), a = repeated_a;
  if (step_b == 0) store(repeated_b, splat(*b)), b = repeated_b;
  ptrdiff_t i = 0;
  for (; i + LANES <= width; i += LANES, a += step_a * LANES, b += step_b * LANES) store(out + i, binary_of(operation, load(a), load(b)));
  const int rest = (int)(width - i);
  if (rest > 0) store_first(out + i, binary_of(operation, load_first(a, rest), load_first(b, rest)), rest);
}

typedef void row_kernel(const float *a, ptrdiff_t step_a, const float *b, ptrdiff_t step_b, float *out, ptrdiff_t width);

#define ROW_KERNEL(name, operation) \
  static void name(const float *a, ptrdiff_t step_a, const float *b, ptrdiff_t step_b, float *out, ptrdiff_t width) { \
    binary_row(operation, a, step_a, b, step_b, out, width); \
  }
ROW_KERNEL(add_row, ADD)
ROW_KERNEL(subtract_row, SUBTRACT)
ROW_KERNEL(multiply_rows, MULTIPLY)
ROW_KERNEL(divide_row, DIVIDE)
ROW_KERNEL(maximum_row, MAXIMUM)
ROW_KERNEL(minimum_row, MINIMUM)
ROW_KERNEL(equal_row, EQUAL)
ROW_KERNEL(greater_row, GREATER)
ROW_KERNEL(less_row, LESS)
ROW_KERNEL(equal_integers_row, EQUAL_INTEGERS)
ROW_KERNEL(greater_integers_row, GREATER_INTEGERS)
ROW_KERNEL(less_integers_row, LESS_INTEGERS)

static inline const float *place_in(const walked *x, ptrdiff_t i, ptrdiff_t j, ptrdiff_t k) {
  return x->start + i * x->strides[0] + j * x->strides[1] + k * x->strides[2];
}

static void binary(const binary_task *task) {
  static row_kernel *const rows[BINARY_COUNT] = {
      add_row,   subtract_row, multiply_rows, divide_row,         maximum_row,          minimum_row,
      equal_row, greater_row,  less_row,      equal_integers_row, greater_integers_row, less_integers_row,
  };
  row_kernel *const compute = rows[task->operation];
  const walked *a = &task->a, *b = &task->b;
  const ptrdiff_t from = task->from, width = task->width;
  if (width == 0) {
    compute(a->start + from * a->step, a->step, b->start + from * b->step, b->step, task->out + from, task->to - from);
    return;
  }
  for (ptrdiff_t row = from; row < task->to; row++) {
    const ptrdiff_t k = row % task->e2, outer = row / task->e2, i = outer / task->e1, j = outer % task->e1;
    compute(place_in(a, i, j, k), a->step, place_in(b, i, j, k), b->step, task->out + row * width, width);
  }
}
