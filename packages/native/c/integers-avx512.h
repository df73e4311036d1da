// Integers of AVX-512 for `block-kernel.h`, without the instructions for dot products of bytes.
#include <immintrin.h>

typedef __m512i ints;
/** Whether a level multiplies bytes; else codes are widened to 16 bits. */
enum { NARROW = 0, OFFSET = 0 };

static inline ints load_ints(const void *from) { return _mm512_loadu_si512(from); }
static inline void store_ints(int32_t *to, ints x) { _mm512_storeu_si512(to, x); }
static inline ints splat_ints(int32_t x) { return _mm512_set1_epi32(x); }
static inline floats to_floats(ints x) { return _mm512_cvtepi32_ps(x); }
/** sums += the products of pairs. */
static inline ints dot_wide(ints sums, ints a, ints b) { return _mm512_add_epi32(sums, _mm512_madd_epi16(a, b)); }
static inline ints dot_narrow(ints sums, ints a, ints b) {
  (void)a, (void)b;
  return sums;
}
static inline ints correction_of(ints sum) { return sum; }
static inline void widen_sixteen(const int8_t *codes, int16_t *to) {
  _mm256_storeu_si256((__m256i *)to, _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)codes)));
}
