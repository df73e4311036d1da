// Operands of exact products whose blocks run along the columns of matrices: the codes that `encode-kernel.h` has of
// the transposed ones. A lane is a column, so that nothing is transposed but codes, of which four fit a word.

/** Terms whose codes are put together at once: those that rows are filled up to. */
enum { CODED_TERMS = 16 };

/** What the blocks of columns side by side are rounded by, a lane each. */
typedef struct {
  vector_figures rounding;
  floats factor;
  block_figures blocks[LANES];
  /** Magnitudes, as float32 bits. */
  uint32_t maxima[LANES];
} column_figures;

/**
 * Those of `figures_of` for all lanes at once, and scale bytes, where scales are powers of two and each block is
 * rounded in vectors; else 0. Numbers are compared by the sign of a difference.
 */
static inline ALWAYS_INLINE int usual_figures(const rounding_settings *settings, exact_bytes exact, words largest,
                                              column_figures *figures, uint32_t *bytes) {
  const int unit = unit_exponent(settings), lowest = exact.lowest > -unit ? exact.lowest : -unit;
  const words zero = shift_signed(largest - 1u, 31);
  const words up = shift_signed((uint32_t)settings->up_above - (largest & 0x7fffffu), 31);
  const words byte = (largest >> 23) - (uint32_t)settings->emax - up;
  const words unusual = (largest - 0x800000u) | (byte - (uint32_t)lowest) | ((uint32_t)exact.highest - byte);
  if (settings->e4m3_scales || greatest_lane_word((unusual & ~zero) >> 31) != 0) return 0;
  store_words(bytes, byte & ~zero);
  // Zeros are rounded by any scale.
  const words own = (byte & ~zero) | (zero & 127u);
  figures->rounding = (vector_figures){
      .threshold = (own + (uint32_t)settings->emin) << 23,
      .limit = floats_of(((own - 127u) << 23) + (uint32_t)settings->largest_bits),
      .before = splat(1),
      .shift = shift_of(settings),
  };
  figures->factor = floats_of(((uint32_t)(254 - unit) - own) << 23);
  return 1;
}

/** Lane by lane. */
static void unusual_figures(const rounding_settings *settings, words largest, int lanes, column_figures *figures) {
  uint32_t thresholds[LANES] = {0}, limits[LANES] = {0};
  float before[LANES] = {0}, factors[LANES] = {0};
  store_words(figures->maxima, largest);
  for (int lane = 0; lane < lanes; lane++) {
    const uint32_t maximum = figures->maxima[lane];
    const block_figures block = figures->blocks[lane] = unusual_figures_of(settings, maximum);
    thresholds[lane] = block.threshold, limits[lane] = block.limit, before[lane] = block.before;
    if (maximum != 0 && in_vectors(settings, &block))
      factors[lane] = power_of_two_bits((settings->e4m3_scales ? 0 : 127 - block.byte) - unit_exponent(settings));
  }
  figures->rounding = (vector_figures){.threshold = load_words(thresholds),
                                       .limit = floats_of(load_words(limits)),
                                       .before = load(before),
                                       .shift = shift_of(settings)};
  figures->factor = load(factors);
}

/** The lower `bits` bits of x, and above them those of y. */
static inline ALWAYS_INLINE words joined(words x, words y, int bits) { return (x & ((1u << bits) - 1)) | (y << bits); }

/** CODED_TERMS terms of columns side by side, each to 16 bytes of its row, or twice as many. */
static inline ALWAYS_INLINE void put_terms(words *integers, uint8_t *codes, ptrdiff_t row_bytes, int lanes, int wide) {
  for (int i = 0; i < 8; i++) integers[i] = joined(integers[2 * i], integers[2 * i + 1], wide ? 16 : 8);
  for (int i = 0; i < 4 && !wide; i++) integers[i] = joined(integers[2 * i], integers[2 * i + 1], 16);
  for (int part = 0; part <= wide; part++, integers += 4, codes += 16) {
    float aside[4 * LANES];
    store_interleaved(aside, floats_of(integers[0]), floats_of(integers[1]), floats_of(integers[2]),
                      floats_of(integers[3]));
    for (int lane = 0; lane < lanes; lane++) memcpy(codes + lane * row_bytes, aside + 4 * lane, 16);
  }
}

/**
 * `lanes` columns side by side, at most LANES: `count` terms of one block, from element `start` on. What lies `ahead`
 * is fetched: processors see no pattern in lines that lie a row apart.
 */
static void encode_block_of_columns(const encode_task *task, exact_bytes exact, ptrdiff_t start, ptrdiff_t ahead,
                                    ptrdiff_t count, int lanes, uint8_t *codes, ptrdiff_t row_bytes,
                                    ptrdiff_t place) {
  const rounding_settings *settings = task->settings;
  const rounding_mode how = (rounding_mode)settings->rounding;
  const int usual = how == NEAREST_EVEN && !settings->e4m3_scales;
  const ptrdiff_t step = task->columns;
  words largest = splat_word(0);
  for (ptrdiff_t i = 0; i < count; i++) {
    const float *x = task->source + start + i * step;
    __builtin_prefetch(x + ahead);
    largest = greatest_word(largest, bits_of(load_some(x, lanes)) & 0x7fffffffu);
  }
  column_figures figures;
  uint32_t bytes[LANES];
  const int usual_scales = usual_figures(settings, exact, largest, &figures, bytes);
  if (!usual_scales) unusual_figures(settings, largest, lanes, &figures);
  for (ptrdiff_t first = 0; first < count; first += CODED_TERMS) {
    words integers[CODED_TERMS];
    for (int i = 0; i < CODED_TERMS; i++) {
      const ptrdiff_t at = start + (first + i) * step;
      integers[i] = splat_word(0);
      if (first + i >= count) continue;
      const floats values = load_some(task->source + at, lanes);
      integers[i] = usual ? integers_of(values, &figures.rounding, figures.factor, NEAREST_EVEN, splat_word(0))
                          : unusual_integers(values, &figures.rounding, figures.factor, how,
                                             random_at(task->random, at, lanes, how));
    }
    put_terms(integers, codes + (first << task->wide), row_bytes, lanes, task->wide);
  }
  for (int lane = 0; lane < lanes; lane++) {
    if (usual_scales) {
      ((uint8_t *)task->scales)[place + lane * task->blocks] = (uint8_t)bytes[lane];
      continue;
    }
    const block_figures *block = &figures.blocks[lane];
    put_scale(task, place + lane * task->blocks, block);
    if (figures.maxima[lane] != 0 && !in_vectors(settings, block))
      encode_one_by_one(task, block, figures.maxima[lane], start + lane, count, step, codes + lane * row_bytes);
  }
}

/** The first element of a part, and where its codes and scales go. */
typedef struct {
  ptrdiff_t block, first, row, start, width;
} column_part;

static column_part column_part_at(const encode_task *task, ptrdiff_t part) {
  const ptrdiff_t columns = task->columns, strips = (columns + STRIP_COLUMNS - 1) / STRIP_COLUMNS;
  const ptrdiff_t block = part % task->blocks, strip = part / task->blocks, left = strip % strips * STRIP_COLUMNS;
  const ptrdiff_t matrix = strip / strips, first = block * task->settings->block_size;
  return (column_part){.block = block,
                       .first = first,
                       .row = matrix * columns + left,
                       .start = (matrix * task->length + first) * columns + left,
                       .width = columns - left < STRIP_COLUMNS ? columns - left : STRIP_COLUMNS};
}

static void encode_columns(const encode_task *task) {
  const ptrdiff_t length = task->length, size = task->settings->block_size;
  const ptrdiff_t row_bytes = (length + 15) / 16 * 16 << task->wide;
  const exact_bytes exact = exact_bytes_of(task->settings);
  for (ptrdiff_t part = task->from; part < task->to; part++) {
    const column_part here = column_part_at(task, part), next = column_part_at(task, part + 1);
    const ptrdiff_t count = length - here.first < size ? length - here.first : size;
    for (ptrdiff_t column = 0; column < here.width; column += LANES) {
      const ptrdiff_t row = here.row + column;
      encode_block_of_columns(task, exact, here.start + column, next.start - here.start, count,
                              here.width - column < LANES ? (int)(here.width - column) : LANES,
                              task->codes + row * row_bytes + (here.first << task->wide), row_bytes,
                              row * task->blocks + here.block);
    }
  }
}
