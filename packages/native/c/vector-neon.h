// Four floats of NEON, as `matmul-kernel.h` and `row-products.h` want them.
#include <arm_neon.h>
#include <stddef.h>
#include <string.h>

typedef float32x4_t floats;
enum { LANES = 4 };

static inline floats load(const float *from) { return vld1q_f32(from); }
static inline void store(float *to, floats x) { vst1q_f32(to, x); }
static inline floats splat(float x) { return vdupq_n_f32(x); }
static inline floats multiply(floats a, floats b) { return vmulq_f32(a, b); }
static inline floats fused_multiply_add(floats a, floats b, floats c) { return vfmaq_f32(c, a, b); }
static inline floats multiply_then_add(floats a, floats b, floats c) { return vaddq_f32(vmulq_f32(a, b), c); }

/** The first `count` lanes; the others are 0 and not read. */
static inline floats load_first(const float *from, int count) {
  float lanes[4] = {0};
  memcpy(lanes, from, (size_t)count * sizeof *lanes);
  return vld1q_f32(lanes);
}
static inline void store_first(float *to, floats x, int count) {
  float lanes[4];
  vst1q_f32(lanes, x);
  memcpy(to, lanes, (size_t)count * sizeof *lanes);
}

typedef struct {
  float32x4_t even, odd;
} eight;

static inline floats multiply_add_as(floats a, floats b, floats c, int fused) {
  return fused ? fused_multiply_add(a, b, c) : multiply_then_add(a, b, c);
}
static inline eight eight_zero(void) { return (eight){splat(0), splat(0)}; }
static inline eight eight_load(const float *from) { return (eight){load(from), load(from + 4)}; }
static inline eight eight_multiply_add(eight a, eight b, eight c, int fused) {
  return (eight){multiply_add_as(a.even, b.even, c.even, fused), multiply_add_as(a.odd, b.odd, c.odd, fused)};
}

/** Adds `count` (1 to 4) more products to the first four sums. */
static inline eight eight_add_rest(eight sums, const float *a, const float *b, int count, int fused) {
  sums.even = multiply_add_as(load_first(a, count), load_first(b, count), sums.even, fused);
  return sums;
}

/** Lanes i and i + 4, then those two and two apart, then the last pair. */
static inline float eight_total(eight sums) {
  const float32x4_t four = vaddq_f32(sums.even, sums.odd);
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

enum { TURNED = 4 };

/** Transposes four lines of four terms: line l, term t from source[l·stride + t] to target[t·width + l]. */
static inline void turn_four(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width) {
  const float32x4x2_t ab = vtrnq_f32(load(source), load(source + stride));
  const float32x4x2_t cd = vtrnq_f32(load(source + 2 * stride), load(source + 3 * stride));
  store(target, vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0])));
  store(target + width, vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1])));
  store(target + 2 * width, vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0])));
  store(target + 3 * width, vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1])));
}

static inline void turn_block(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width) {
  turn_four(source, stride, target, width);
}
