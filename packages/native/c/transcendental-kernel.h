// Transcendental functions element by element.

static void transcendental(const unary_task *task) {
  const ptrdiff_t to = task->to;
  for (ptrdiff_t i = task->from; i < to; i += LANES) {
    const floats x = load_some(task->x + i, to - i);
    floats y;
    switch (task->operation) {
      case EXP: y = exponential(x); break;
      case LOG: y = logarithm(x); break;
      case TANH: y = hyperbolic_tangent(x); break;
      default: y = error_function(x);
    }
    store_some(task->out + i, y, to - i);
  }
}
