// Four floats of NEON, with the operations that the kernels use.
#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
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
#include "vector-operations.h"

static inline floats pick_least(floats a, floats b) { return vbslq_f32(vcltq_f32(b, a), b, a); }
static inline floats pick_greatest(floats a, floats b) { return vbslq_f32(vcgtq_f32(b, a), b, a); }
static inline floats square_root(floats x) { return vsqrtq_f32(x); }
/** To the nearest integer, ties to even. */
static inline floats nearest(floats x) { return vrndnq_f32(x); }
/** Toward zero. */
static inline words truncated(floats x) { return (words)vcvtq_s32_f32(x); }
static inline words lane_numbers(void) { return (words){0, 1, 2, 3}; }

/** The halves of the products of 32-bit numbers. */
static inline void multiply_wide(words a, uint32_t b, words *low, words *high) {
  const uint32x4_t factor = vdupq_n_u32(b), x = (uint32x4_t)a;
  const uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(x), vget_low_u32(factor)));
  const uint32x4_t last = vreinterpretq_u32_u64(vmull_high_u32(x, factor));
  *low = (words)vuzp1q_u32(first, last);
  *high = (words)vuzp2q_u32(first, last);
}

/** to[4·lane + i] = xᵢ[lane] */
static inline void store_interleaved(float *to, floats x0, floats x1, floats x2, floats x3) {
  vst4q_f32(to, ((float32x4x4_t){{x0, x1, x2, x3}}));
}

/** The largest lane; a NaN may be passed over. */
static inline float greatest_lane(floats x) { return vmaxnmvq_f32(x); }

/** Of numbers with a sign, lane by lane, and of all lanes. */
static inline words greatest_word(words a, words b) { return (words)vmaxq_s32((int32x4_t)a, (int32x4_t)b); }
static inline uint32_t greatest_lane_word(words x) { return (uint32_t)vmaxvq_s32((int32x4_t)x); }

/** Integers that a narrower type holds. */
static inline void store_narrow(void *to, words x, int wide) {
  const int16x4_t two_bytes = vmovn_s32((int32x4_t)x);
  if (wide) vst1_s16(to, two_bytes);
  else {
    const int8x8_t bytes = vmovn_s16(vcombine_s16(two_bytes, two_bytes));
    memcpy(to, &bytes, 4);
  }
}
static inline words load_narrow(const void *from, int wide) {
  if (wide) return (words)vmovl_s16(vld1_s16(from));
  int8x8_t bytes = vdup_n_s8(0);
  memcpy(&bytes, from, 4);
  return (words)vmovl_s16(vget_low_s16(vmovl_s8(bytes)));
}

static inline eight eight_zero(void) { return (eight){splat(0), splat(0)}; }
static inline eight eight_load(const float *from) { return (eight){load(from), load(from + 4)}; }
static inline eight eight_multiply_add(eight a, eight b, eight c, int fused) {
  return (eight){multiply_add_as(a.even, b.even, c.even, fused), multiply_add_as(a.odd, b.odd, c.odd, fused)};
}

static inline eight eight_splat(float x) { return (eight){splat(x), splat(x)}; }
static inline void eight_store(float *to, eight x) { store(to, x.even), store(to + 4, x.odd); }
static inline eight eight_add(eight a, eight b) { return (eight){a.even + b.even, a.odd + b.odd}; }
static inline eight eight_subtract(eight a, eight b) { return (eight){a.even - b.even, a.odd - b.odd}; }
static inline eight eight_multiply(eight a, eight b) { return (eight){a.even * b.even, a.odd * b.odd}; }

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

/** The halves of each added first, then both, then as above. */
static inline float sixteen_total(eight low, eight high) {
  return eight_total((eight){low.even + low.odd, high.even + high.odd});
}

/** Entries of 16 bytes by the lower halves of 16 others, then by the upper ones. */
static inline void look_up_nibbles(const uint8_t *from, const int8_t *entries, int8_t *to) {
  const int8x16_t table = vld1q_s8(entries);
  const uint8x16_t pairs = vld1q_u8(from);
  vst1q_s8(to, vqtbl1q_s8(table, vandq_u8(pairs, vdupq_n_u8(15))));
  vst1q_s8(to + 16, vqtbl1q_s8(table, vshrq_n_u8(pairs, 4)));
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
