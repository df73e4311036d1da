// Integers of AVX2, with the operations that `block-kernel.h` uses, without the instructions for dot products of bytes.
#include <immintrin.h>

typedef __m256i ints;
/** Whether a tile leaves registers for totals. */
enum { TOTALS_STAY = 0 };
/** Whether a level multiplies bytes; else codes are widened to 16 bits. */
enum { NARROW = 0, OFFSET = 0 };

static inline ints load_ints(const void *from) { return _mm256_loadu_si256(from); }
/** Into a register that stays: gcc would read memory again for each row of a tile. */
static inline ints load_kept(const void *from) {
  ints x = load_ints(from);
  __asm__("" : "+x"(x));
  return x;
}
static inline void store_ints(int32_t *to, ints x) { _mm256_storeu_si256((__m256i *)to, x); }
static inline ints splat_ints(int32_t x) { return _mm256_set1_epi32(x); }
static inline floats to_floats(ints x) { return _mm256_cvtepi32_ps(x); }
/** sums += the products of pairs. */
static inline ints dot_wide(ints sums, ints a, ints b) { return _mm256_add_epi32(sums, _mm256_madd_epi16(a, b)); }
static inline ints dot_narrow(ints sums, ints a, ints b) {
  (void)a, (void)b;
  return sums;
}
static inline ints correction_of(ints sum) { return sum; }
