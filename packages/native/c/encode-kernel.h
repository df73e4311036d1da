// Operands of exact products: rows of blocks as integers with scales. See `packages/mx-formats/assembly/integers.ts`.

/** Adding it to an integer leaves the integer in the lower bits. */
#define INTEGER_MAGIC 12582912.0f

static inline void put_integer(uint8_t *codes, ptrdiff_t place, int32_t integer, int wide) {
  if (wide) ((int16_t *)codes)[place] = (int16_t)integer;
  else ((int8_t *)codes)[place] = (int8_t)integer;
}

/** The unit of the integers is the smallest element. */
static inline int unit_exponent(const rounding_settings *settings) {
  return settings->emin - settings->significant_bits;
}

static inline float power_of_two_bits(int exponent) {
  const uint32_t bits = (uint32_t)(exponent + 127) << 23;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline void put_scale(const encode_task *task, ptrdiff_t place, const block_figures *block) {
  const rounding_settings *settings = task->settings;
  if (!settings->e4m3_scales) ((uint8_t *)task->scales)[place] = (uint8_t)block->byte;
  else {
    const uint32_t value = block->byte == 0      ? 0
                           : block->byte == 0x7f ? QUIET_NAN
                                                 : (uint32_t)(block->byte + (120 << 3)) << 20;
    ((uint32_t *)task->scales)[place] = value;
  }
}

/** One block whose integers begin at `codes`. */
static inline ALWAYS_INLINE void encode_block(const encode_task *task, ptrdiff_t start, ptrdiff_t count, uint8_t *codes,
                                              ptrdiff_t place, exact_bytes exact, rounding_mode how) {
  const rounding_settings *settings = task->settings;
  const float *x = task->source + start;
  const int wide = task->wide, unit = unit_exponent(settings);
  const uint32_t maximum = largest_magnitude(x, count);
  const block_figures block = figures_of(settings, exact, maximum);
  put_scale(task, place, &block);
  if (maximum == 0 || maximum >= INFINITY_BITS) {
    memset(codes, 0, (size_t)count << wide);
    return;
  }
  // Below this byte, what makes a value an integer would overflow.
  if (!block.exact || (!settings->e4m3_scales && block.byte < -unit)) {
    for (ptrdiff_t i = 0; i < count; i++) {
      const uint32_t random = how == STOCHASTIC ? task->random[start + i] : 0;
      put_integer(codes, i, integer_of_element(settings, &block, x[i], random), wide);
    }
    return;
  }
  const vector_figures figures = spread_figures(settings, &block);
  const floats factor = splat(power_of_two_bits(settings->e4m3_scales ? -unit : 127 - block.byte - unit));
  ptrdiff_t i = 0;
  // Whole vectors in the common case: no factor, no stochastic rounding.
  if (how == NEAREST_EVEN && !settings->e4m3_scales) {
    for (; i + LANES <= count; i += LANES) {
      const floats sum =
          round_vector(load(x + i), &figures, NEAREST_EVEN, splat_word(0)) * factor + splat(INTEGER_MAGIC);
      store_narrow(codes + (i << wide), bits_of(sum) - bits_of(splat(INTEGER_MAGIC)), wide);
    }
  }
  for (; i < count; i += LANES) {
    const int here = count - i < LANES ? (int)(count - i) : LANES;
    const words random = random_at(task->random, start + i, here, how);
    const floats values = load_some(x + i, here) * figures.before;
    const floats sum = round_vector(values, &figures, how, random) * factor + splat(INTEGER_MAGIC);
    const words integers = bits_of(sum) - bits_of(splat(INTEGER_MAGIC));
    if (here == LANES) store_narrow(codes + (i << wide), integers, wide);
    else {
      uint8_t aside[2 * LANES];
      store_narrow(aside, integers, wide);
      memcpy(codes + (i << wide), aside, (size_t)here << wide);
    }
  }
}

static void encode(const encode_task *task) {
  const rounding_mode how = (rounding_mode)task->settings->rounding;
  const ptrdiff_t length = task->length, size = task->settings->block_size, padded = (length + 15) / 16 * 16;
  const exact_bytes exact = exact_bytes_of(task->settings);
  for (ptrdiff_t row = task->from; row < task->to; row++) {
    uint8_t *codes = task->codes + (row * padded << task->wide);
    for (ptrdiff_t block = 0; block < task->blocks; block++) {
      const ptrdiff_t first = block * size, count = length - first < size ? length - first : size;
      encode_block(task, row * length + first, count, codes + (first << task->wide), row * task->blocks + block, exact,
                   how);
    }
    memset(codes + (length << task->wide), 0, (size_t)(padded - length) << task->wide);
  }
}
