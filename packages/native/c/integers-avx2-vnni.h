// Integers of AVX2 with AVX-VNNI, with the operations that `block-kernel.h` uses.
#include <immintrin.h>

typedef __m256i ints;
/** Whether a tile leaves registers for totals. */
enum { TOTALS_STAY = 0 };
/** Codes of A are bytes without a sign, to which 128 was added. */
enum { NARROW = 1, OFFSET = 1 };

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
static inline ints dot_wide(ints sums, ints a, ints b) { return _mm256_dpwssd_avx_epi32(sums, a, b); }
/** sums += the products of four bytes. */
static inline ints dot_narrow(ints sums, ints a, ints b) { return _mm256_dpbusd_avx_epi32(sums, a, b); }
/** Initial value of a sum, from the sum of the codes of B: -128 times it. */
static inline ints correction_of(ints sum) {
  return _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(sum, 7));
}
