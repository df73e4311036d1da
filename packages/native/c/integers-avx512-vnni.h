// Integers of AVX-512 with VNNI, with the operations that `block-kernel.h` uses.
#include <immintrin.h>

typedef __m512i ints;
/** Whether a tile leaves registers for totals. */
enum { TOTALS_STAY = 1 };
/** Codes of A are bytes without a sign, to which 128 was added. */
enum { NARROW = 1, OFFSET = 1 };

static inline ints load_ints(const void *from) { return _mm512_loadu_si512(from); }
/** Into a register that stays: gcc would read memory again for each row of a tile. */
static inline ints load_kept(const void *from) {
  ints x = load_ints(from);
  __asm__("" : "+v"(x));
  return x;
}
static inline void store_ints(int32_t *to, ints x) { _mm512_storeu_si512(to, x); }
static inline ints splat_ints(int32_t x) { return _mm512_set1_epi32(x); }
static inline floats to_floats(ints x) { return _mm512_cvtepi32_ps(x); }
/** sums += the products of pairs. */
static inline ints dot_wide(ints sums, ints a, ints b) { return _mm512_dpwssd_epi32(sums, a, b); }
/** sums += the products of four bytes. */
static inline ints dot_narrow(ints sums, ints a, ints b) { return _mm512_dpbusd_epi32(sums, a, b); }
/** Initial value of a sum, from the sum of the codes of B: -128 times it. */
static inline ints correction_of(ints sum) {
  return _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, 7));
}
