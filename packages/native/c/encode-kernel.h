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

/** Whether a block is rounded in vectors. */
static inline int in_vectors(const rounding_settings *settings, const block_figures *block) {
  // Below this byte, what makes a value an integer would overflow.
  return block->exact && (settings->e4m3_scales || block->byte >= -unit_exponent(settings));
}

/** A block that is not, of elements `step` apart. */
static NEVER_INLINE void encode_one_by_one(const encode_task *task, const block_figures *block, uint32_t maximum,
                                           ptrdiff_t start, ptrdiff_t count, ptrdiff_t step, uint8_t *codes) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const ptrdiff_t at = start + i * step;
    const uint32_t random = task->settings->rounding == STOCHASTIC ? task->random[at] : 0;
    const int32_t integer =
        maximum >= INFINITY_BITS ? 0 : integer_of_element(task->settings, block, task->source[at], random);
    put_integer(codes, i, integer, task->wide);
  }
}

/** Integers above INTEGER_MAGIC, whose lower bits they are: rounded values times what the unit is divided by. */
static inline ALWAYS_INLINE words integers_of(floats values, const vector_figures *figures, floats factor,
                                              rounding_mode how, words random) {
  return bits_of(round_vector(values, figures, how, random) * factor + splat(INTEGER_MAGIC));
}

/** The same where rounding is not the usual one, or values are multiplied before. */
static NEVER_INLINE words unusual_integers(floats values, const vector_figures *figures, floats factor,
                                           rounding_mode how, words random) {
  return integers_of(values * figures->before, figures, factor, how, random);
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
  if (maximum == 0) {
    memset(codes, 0, (size_t)count << wide);
    return;
  }
  if (!in_vectors(settings, &block)) {
    encode_one_by_one(task, &block, maximum, start, count, 1, codes);
    return;
  }
  const vector_figures figures = spread_figures(settings, &block);
  const floats factor = splat(power_of_two_bits(settings->e4m3_scales ? -unit : 127 - block.byte - unit));
  ptrdiff_t i = 0;
  const int usual = how == NEAREST_EVEN && !settings->e4m3_scales;
  for (; i + LANES <= count; i += LANES) {
    const floats values = load(x + i);
    const words integers = usual ? integers_of(values, &figures, factor, NEAREST_EVEN, splat_word(0))
                                 : unusual_integers(values, &figures, factor, how,
                                                    random_at(task->random, start + i, LANES, how));
    store_narrow(codes + (i << wide), integers - bits_of(splat(INTEGER_MAGIC)), wide);
  }
  if (i < count) {
    const int left = (int)(count - i);
    const words random = random_at(task->random, start + i, left, how);
    uint8_t aside[2 * LANES];
    const words integers = unusual_integers(load_some(x + i, left), &figures, factor, how, random);
    store_narrow(aside, integers - bits_of(splat(INTEGER_MAGIC)), wide);
    memcpy(codes + (i << wide), aside, (size_t)left << wide);
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
