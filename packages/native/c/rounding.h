// Rounding to block formats in vectors, on the float32 values themselves: the scale only moves the threshold below
// which elements are subnormal. The operations are those of `packages/mx-formats/assembly/vector.ts`.

/** The figures of blocks in vectors: one for all lanes, or of each lane's own block. */
typedef struct {
  words threshold;
  floats limit, before, after;
  /** The exponent bits of 2^(23 − significant bits). */
  uint32_t shift;
} vector_figures;

static inline uint32_t shift_of(const rounding_settings *settings) {
  return (uint32_t)(23 - settings->significant_bits) << 23;
}

static inline vector_figures spread_figures(const rounding_settings *settings, const block_figures *block) {
  return (vector_figures){
      .threshold = splat_word(block->threshold),
      .limit = floats_of(splat_word(block->limit)),
      .before = splat(block->before),
      .after = splat(block->after),
      .shift = shift_of(settings),
  };
}

/** 2^23 quanta plus the rounded magnitude. */
static inline ALWAYS_INLINE floats rounded_sum(floats magnitude, floats magic, rounding_mode how, words random) {
  const floats near = magnitude + magic;
  if (how == NEAREST_EVEN) return near;
  const words cut = bits_of(near) + is_less(magnitude, near - magic);
  if (how == TOWARD_ZERO) return floats_of(cut);
  const floats beyond = magnitude - (floats_of(cut) - magic);
  const floats half = floats_of(bits_of(magic) - (24u << 23)), quantum = floats_of(bits_of(magic) - (23u << 23));
  return floats_of(cut -
                   (how == NEAREST_AWAY ? is_least(half, beyond) : is_less(uniform_of(random) * quantum, beyond)));
}

/** Values rounded to the grid, with their signs. */
static inline ALWAYS_INLINE floats round_vector(floats values, const vector_figures *block, rounding_mode how,
                                                words random) {
  const floats magnitude = pick_least(block->limit, absolute(values));
  const floats magic = floats_of(greatest_word(bits_of(magnitude) & 0x7f800000u, block->threshold) + block->shift);
  const floats rounded = rounded_sum(magnitude, magic, how, random) - magic;
  return floats_of(bits_of(rounded) | (bits_of(values) & 0x80000000u));
}

/** The float32 bits of the largest magnitude of `count` values. */
static inline uint32_t largest_magnitude(const float *x, ptrdiff_t count) {
  words largest = splat_word(0);
  for (ptrdiff_t i = 0; i < count; i += LANES)
    largest = greatest_word(largest, bits_of(load_some(x + i, count - i)) & 0x7fffffffu);
  return greatest_lane_word(largest);
}

/** Random words; anything where rounding is not stochastic. */
static inline ALWAYS_INLINE words random_at(const uint32_t *random, ptrdiff_t at, ptrdiff_t left, rounding_mode how) {
  return how == STOCHASTIC ? bits_of(load_some((const float *)random + at, left)) : splat_word(0);
}
