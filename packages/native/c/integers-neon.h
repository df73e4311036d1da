// Integers of NEON for `block-kernel.h`, with the instructions for dot products of bytes if the compiler may use
// them.
#include <arm_neon.h>

typedef int32x4_t ints;
/** Whether a tile leaves registers for totals. */
enum { TOTALS_STAY = 0 };
enum { OFFSET = 0 };

static inline ints load_ints(const void *from) { return vld1q_s32(from); }
/** Into a register that stays: gcc would read memory again for each row of a tile. */
static inline ints load_kept(const void *from) {
  ints x = load_ints(from);
  __asm__("" : "+w"(x));
  return x;
}
static inline void store_ints(int32_t *to, ints x) { vst1q_s32(to, x); }
static inline ints splat_ints(int32_t x) { return vdupq_n_s32(x); }
static inline floats to_floats(ints x) { return vcvtq_f32_s32(x); }
/** sums += the products of pairs. */
static inline ints dot_wide(ints sums, ints a, ints b) {
  const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
  const int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
  return vaddq_s32(sums, vpaddq_s32(low, high));
}

#ifdef __ARM_FEATURE_DOTPROD
enum { NARROW = 1 };
/** sums += the products of four bytes. */
static inline ints dot_narrow(ints sums, ints a, ints b) {
  return vdotq_s32(sums, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
}
#else
/** Codes are widened to 16 bits. */
enum { NARROW = 0 };
static inline ints dot_narrow(ints sums, ints a, ints b) {
  (void)a, (void)b;
  return sums;
}
#endif
static inline ints correction_of(ints sum) { return sum; }
