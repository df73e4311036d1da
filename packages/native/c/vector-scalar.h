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
static inline eight eight_multiply_add(eight a, eight b, eight c, int fused) {
  for (int i = 0; i < 8; i++) c.lane[i] = multiply_add_as(a.lane[i], b.lane[i], c.lane[i], fused);
  return c;
}

/** Adds `count` (1 to 4) more products to the first four sums. */
static inline eight eight_add_rest(eight sums, const float *a, const float *b, int count, int fused) {
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

enum { TURNED = 1 };

static inline void turn_block(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width) {
  (void)stride, (void)width;
  *target = *source;
}

static inline void turn_four(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width) {
  for (int i = 0; i < 16; i++) target[i / 4 * width + i % 4] = source[i % 4 * stride + i / 4];
}
