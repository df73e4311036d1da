// Values rounded to block formats, in rows or along columns.

/** Vectors with figures that are exact. For int elements, there is no −0. */
static inline ALWAYS_INLINE floats rounded_values(floats x, const vector_figures *block, int integers,
                                                  rounding_mode how, words random) {
  floats rounded = round_vector(x * block->before, block, how, random);
  if (integers) rounded = floats_of(bits_of(rounded) & ~is_equal(rounded, splat(0)));
  return rounded * block->after;
}

/** The same where rounding is not the usual one. */
static NEVER_INLINE floats unusual_values(floats x, const vector_figures *block, int integers, rounding_mode how,
                                          words random) {
  return rounded_values(x, block, integers, how, random);
}

/** Some lanes from `at` on. Rounding to nearest, the usual one, is in the loops. */
static inline ALWAYS_INLINE void round_some(const round_task *task, ptrdiff_t at, ptrdiff_t lanes,
                                            const vector_figures *block, rounding_mode how) {
  const int integers = task->settings->integers;
  const floats x = load_some(task->source + at, lanes);
  store_some(task->target + at,
             how == NEAREST_EVEN ? rounded_values(x, block, integers, NEAREST_EVEN, splat_word(0))
                                 : unusual_values(x, block, integers, how, random_at(task->random, at, lanes, how)),
             lanes);
}

static void round_one_by_one(const rounding_settings *settings, const block_figures *block, uint32_t maximum,
                             const float *x, float *out, const uint32_t *random, ptrdiff_t count, ptrdiff_t step) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const ptrdiff_t at = i * step;
    if (maximum >= INFINITY_BITS) ((uint32_t *)out)[at] = QUIET_NAN;
    else {
      const uint32_t bits = round_element(settings, block, x[at], settings->rounding == STOCHASTIC ? random[at] : 0);
      memcpy(out + at, &bits, sizeof bits);
      if (settings->e4m3_scales) out[at] *= block->after;
    }
  }
}

static inline ALWAYS_INLINE void round_block(const round_task *task, ptrdiff_t start, ptrdiff_t count,
                                             exact_bytes exact, rounding_mode how) {
  const rounding_settings *settings = task->settings;
  const float *x = task->source + start;
  float *out = task->target + start;
  const uint32_t maximum = largest_magnitude(x, count);
  const block_figures block = figures_of(settings, exact, maximum);
  if (!block.exact) {
    round_one_by_one(settings, &block, maximum, x, out, task->random + start, count, 1);
    return;
  }
  const vector_figures figures = spread_figures(settings, &block);
  for (ptrdiff_t i = 0; i < count; i += LANES) round_some(task, start + i, count - i, &figures, how);
}

static void round_rows(const round_task *task) {
  const rounding_mode how = (rounding_mode)task->settings->rounding;
  const ptrdiff_t length = task->length, size = task->settings->block_size;
  const exact_bytes exact = exact_bytes_of(task->settings);
  for (ptrdiff_t row = task->from; row < task->to; row++) {
    for (ptrdiff_t first = 0; first < length; first += size) {
      round_block(task, row * length + first, length - first < size ? length - first : size, exact, how);
    }
  }
}

/** `lanes` columns, at most LANES, of `rows` rows `step` apart: blocks of their own. */
static inline ALWAYS_INLINE void round_columns(const round_task *task, ptrdiff_t start, int lanes, ptrdiff_t rows,
                                               exact_bytes exact, rounding_mode how) {
  const rounding_settings *settings = task->settings;
  const ptrdiff_t step = task->inner;
  const float *x = task->source + start;
  float *out = task->target + start;
  words largest = splat_word(0);
  for (ptrdiff_t row = 0; row < rows; row++)
    largest = greatest_word(largest, bits_of(load_some(x + row * step, lanes)) & 0x7fffffffu);
  uint32_t maxima[LANES], thresholds[LANES] = {0}, limits[LANES] = {0};
  float before[LANES] = {0}, after[LANES] = {0};
  block_figures blocks[LANES];
  store_words(maxima, largest);
  for (int lane = 0; lane < lanes; lane++) {
    blocks[lane] = figures_of(settings, exact, maxima[lane]);
    thresholds[lane] = blocks[lane].threshold, limits[lane] = blocks[lane].limit;
    before[lane] = blocks[lane].before, after[lane] = blocks[lane].after;
  }
  const vector_figures figures = {load_words(thresholds), floats_of(load_words(limits)), load(before), load(after),
                                  shift_of(settings)};
  for (ptrdiff_t row = 0; row < rows; row++) round_some(task, start + row * step, lanes, &figures, how);
  for (int lane = 0; lane < lanes; lane++) {
    if (blocks[lane].exact) continue;
    round_one_by_one(settings, &blocks[lane], maxima[lane], x + lane, out + lane, task->random + start + lane, rows,
                     step);
  }
}

static void round_slabs(const round_task *task) {
  const rounding_mode how = (rounding_mode)task->settings->rounding;
  const ptrdiff_t size = task->settings->block_size, inner = task->inner;
  const exact_bytes exact = exact_bytes_of(task->settings);
  for (ptrdiff_t slab = task->from; slab < task->to; slab++) {
    const ptrdiff_t first = slab % task->blocks * size, left = task->length - first;
    const ptrdiff_t start = (slab / task->blocks * task->length + first) * inner;
    for (ptrdiff_t column = 0; column < inner; column += LANES) {
      round_columns(task, start + column, inner - column < LANES ? (int)(inner - column) : LANES,
                    left < size ? left : size, exact, how);
    }
  }
}
