// Integers of AVX-512 for `block-kernel.h`, without the instructions for dot products of bytes.
#include <immintrin.h>

typedef __m512i ints;
/** Whether a tile leaves registers for totals. */
enum { TOTALS_STAY = 1 };
/** Whether a level multiplies bytes; else codes are widened to 16 bits. */
enum { NARROW = 0, OFFSET = 0 };

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
static inline ints dot_wide(ints sums, ints a, ints b) { return _mm512_add_epi32(sums, _mm512_madd_epi16(a, b)); }
static inline ints dot_narrow(ints sums, ints a, ints b) {
  (void)a, (void)b;
  return sums;
}
static inline ints correction_of(ints sum) { return sum; }
