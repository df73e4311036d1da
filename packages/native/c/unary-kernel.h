// Operations element by element, of one operand. Operation codes are those of `assembly/elementwise.ts`.

/** To BF16 (nearest, ties to even) and back; a NaN stays one. */
static inline floats to_bfloat16(floats x) {
  const words bits = bits_of(x), kept = (bits + (((bits >> 16) & 1u) + 0x7fffu)) & 0xffff0000u;
  return select_floats(is_equal(x, x), floats_of(kept), floats_of(splat_word(0x7fc00000u)));
}

/** Toward zero, saturating; NaN to 0. */
static inline words to_integer(floats x) {
  const words large = is_least(splat(0x1p31f), x);
  return ((truncated(x) & ~large) | (large & 0x7fffffffu)) & is_equal(x, x);
}

static inline ALWAYS_INLINE floats unary_of(unary_operation operation, floats x) {
  switch (operation) {
    case NEGATE: return negative(x);
    case ABSOLUTE: return absolute(x);
    case SIGN: return sign_of(x);
    case EXP: return exponential(x);
    case LOG: return logarithm(x);
    case SQRT: return square_root(x);
    case TANH: return hyperbolic_tangent(x);
    case ERF: return error_function(x);
    case ROUND: return nearest(x);
    case BFLOAT16: return to_bfloat16(x);
    case TO_INTEGER: return floats_of(to_integer(x));
    default: return from_integers(bits_of(x));
  }
}

static inline ALWAYS_INLINE void unary_loop(unary_operation operation, const unary_task *task) {
  const ptrdiff_t to = task->to;
  for (ptrdiff_t i = task->from; i < to; i += LANES)
    store_some(task->out + i, unary_of(operation, load_some(task->x + i, to - i)), to - i);
}

static void unary(const unary_task *task) {
  // Training steps in low precision have many of the first; for the others, the choice is in the loop.
  if (task->operation == BFLOAT16) unary_loop(BFLOAT16, task);
  else unary_loop(task->operation, task);
}
