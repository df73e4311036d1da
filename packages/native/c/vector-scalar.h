// One float at a time, in plain C: what the vectors are tested against, and what runs on a processor without them.
#include <stddef.h>

#include "fused-scalar.h"

typedef float floats;
enum { LANES = 1 };

static inline floats load(const float *from) { return *from; }
static inline void store(float *to, floats x) { *to = x; }
static inline floats splat(float x) { return x; }
static inline floats multiply(floats a, floats b) { return a * b; }
static inline floats fused_multiply_add(floats a, floats b, floats c) { return fused_scalar(a, b, c); }
static inline floats multiply_then_add(floats a, floats b, floats c) { return a * b + c; }
static inline floats load_first(const float *from, int count) { return count > 0 ? *from : 0; }
static inline void store_first(float *to, floats x, int count) {
  if (count > 0) *to = x;
}

// What `vector-operations.h` has for vectors.
typedef uint32_t words;

static inline words bits_of(floats x) {
  words bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
static inline floats floats_of(words x) {
  floats value;
  memcpy(&value, &x, sizeof value);
  return value;
}
static inline words splat_word(uint32_t x) { return x; }
static inline words load_words(const void *from) { return bits_of(*(const float *)from); }
static inline void store_words(void *to, words x) { *(float *)to = floats_of(x); }

static inline floats from_integers(words x) { return (float)(int32_t)x; }
/** With copies of the sign. */
static inline words shift_signed(words x, int count) { return (words)((int32_t)x >> count); }

static inline words is_less(floats a, floats b) { return -(words)(a < b); }
static inline words is_least(floats a, floats b) { return -(words)(a <= b); }
static inline words is_equal(floats a, floats b) { return -(words)(a == b); }
static inline words is_same(words a, words b) { return -(words)(a == b); }

static inline float fused_one(float a, float b, float c) { return fused_scalar(a, b, c); }
static inline float square_root_one(float x) { return __builtin_sqrtf(x); }

/** b where it is less, else a; and where it is greater. */
static inline floats pick_least(floats a, floats b) { return b < a ? b : a; }
static inline floats pick_greatest(floats a, floats b) { return b > a ? b : a; }
static inline floats square_root(floats x) { return square_root_one(x); }
/** To the nearest integer, ties to even. */
static inline floats nearest(floats x) {
  const floats size = floats_of(bits_of(x) & 0x7fffffffu);
  if (!(size < 0x1p23f)) return x;
  return floats_of(bits_of((size + 0x1p23f) - 0x1p23f) | (bits_of(x) & 0x80000000u));
}
/** Toward zero; what does not fit is the least integer. */
static inline words truncated(floats x) { return x > -0x1p31f && x < 0x1p31f ? (words)(int32_t)x : 0x80000000u; }
static inline words lane_numbers(void) { return 0; }

/** The halves of the products of 32-bit numbers. */
static inline void multiply_wide(words a, uint32_t b, words *low, words *high) {
  const uint64_t product = (uint64_t)a * b;
  *low = (words)product, *high = (words)(product >> 32);
}

/** to[i] = xᵢ */
static inline void store_interleaved(float *to, floats x0, floats x1, floats x2, floats x3) {
  to[0] = x0, to[1] = x1, to[2] = x2, to[3] = x3;
}

static inline float greatest_lane(floats x) { return x; }
static inline words greatest_word(words a, words b) { return (int32_t)a < (int32_t)b ? b : a; }
static inline uint32_t greatest_lane_word(words x) { return x; }

/** Integers that a narrower type holds. */
static inline void store_narrow(void *to, words x, int wide) {
  if (wide) *(int16_t *)to = (int16_t)x;
  else *(int8_t *)to = (int8_t)x;
}
static inline words load_narrow(const void *from, int wide) {
  return (words)(wide ? *(const int16_t *)from : *(const int8_t *)from);
}

typedef struct {
  float lane[8];
} eight;

static inline float multiply_add_as(float a, float b, float c, int fused) {
  return fused ? fused_multiply_add(a, b, c) : multiply_then_add(a, b, c);
}
static inline eight eight_zero(void) { return (eight){{0}}; }
static inline eight eight_load(const float *from) {
  eight x;
  memcpy(x.lane, from, sizeof x.lane);
  return x;
}
static __attribute__((noinline, unused)) eight eight_multiply_add(eight a, eight b, eight c, int fused) {
  for (int i = 0; i < 8; i++) c.lane[i] = multiply_add_as(a.lane[i], b.lane[i], c.lane[i], fused);
  return c;
}

static inline eight eight_splat(float x) { return (eight){{x, x, x, x, x, x, x, x}}; }
static inline void eight_store(float *to, eight x) { memcpy(to, x.lane, sizeof x.lane); }
static inline eight eight_add(eight a, eight b) {
  for (int i = 0; i < 8; i++) a.lane[i] += b.lane[i];
  return a;
}
static inline eight eight_subtract(eight a, eight b) {
  for (int i = 0; i < 8; i++) a.lane[i] -= b.lane[i];
  return a;
}
static inline eight eight_multiply(eight a, eight b) {
  for (int i = 0; i < 8; i++) a.lane[i] *= b.lane[i];
  return a;
}

/** Adds `count` (1 to 4) more products to the first four sums. */
static __attribute__((noinline, unused)) eight eight_add_rest(eight sums, const float *a, const float *b, int count,
                                                              int fused) {
  for (int i = 0; i < 4; i++) {
    sums.lane[i] = multiply_add_as(i < count ? a[i] : 0, i < count ? b[i] : 0, sums.lane[i], fused);
  }
  return sums;
}

/** Lanes i and i + 4, then those two and two apart, then the last pair. */
static inline float eight_total(eight sums) {
  float four[4];
  for (int i = 0; i < 4; i++) four[i] = sums.lane[i] + sums.lane[i + 4];
  return (four[0] + four[2]) + (four[1] + four[3]);
}

/** The halves of each added first, then both, then as above. */
static inline float sixteen_total(eight low, eight high) {
  eight halves;
  for (int i = 0; i < 4; i++) {
    halves.lane[i] = low.lane[i] + low.lane[i + 4];
    halves.lane[i + 4] = high.lane[i] + high.lane[i + 4];
  }
  return eight_total(halves);
}

/** Entries of 16 bytes by the lower halves of 16 others, then by the upper ones. */
static inline void look_up_nibbles(const uint8_t *from, const int8_t *entries, int8_t *to) {
  for (int i = 0; i < 16; i++) to[i] = entries[from[i] & 15], to[i + 16] = entries[from[i] >> 4];
}

enum { TURNED = 1 };

static inline void turn_block(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width) {
  (void)stride, (void)width;
  *target = *source;
}

static inline void turn_four(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width) {
  for (int i = 0; i < 16; i++) target[i / 4 * width + i % 4] = source[i % 4 * stride + i / 4];
}
