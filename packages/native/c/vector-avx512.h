// Sixteen floats of AVX-512, with the operations that the kernels use.
#include <immintrin.h>

#include "eight-avx.h"

typedef __m512 floats;
enum { LANES = 16 };

static inline floats load(const float *from) { return _mm512_loadu_ps(from); }
static inline void store(float *to, floats x) { _mm512_storeu_ps(to, x); }
static inline floats splat(float x) { return _mm512_set1_ps(x); }
static inline floats multiply(floats a, floats b) { return _mm512_mul_ps(a, b); }
static inline floats fused_multiply_add(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
static inline floats multiply_then_add(floats a, floats b, floats c) { return _mm512_add_ps(_mm512_mul_ps(a, b), c); }

static inline __mmask16 first_lanes(int count) { return (__mmask16)((1u << count) - 1); }
/** The first `count` lanes; the others are 0 and not read. */
static inline floats load_first(const float *from, int count) {
  return _mm512_maskz_loadu_ps(first_lanes(count), from);
}
static inline void store_first(float *to, floats x, int count) { _mm512_mask_storeu_ps(to, first_lanes(count), x); }

#include "vector-operations.h"

/** b where it is less, else a; and where it is greater. */
static inline floats pick_least(floats a, floats b) { return _mm512_min_ps(b, a); }
static inline floats pick_greatest(floats a, floats b) { return _mm512_max_ps(b, a); }
static inline floats square_root(floats x) { return _mm512_sqrt_ps(x); }
/** To the nearest integer, ties to even. */
static inline floats nearest(floats x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/** Toward zero, as x86 does: what does not fit is the least integer. */
static inline words truncated(floats x) { return (words)_mm512_cvttps_epi32(x); }
static inline words lane_numbers(void) { return (words){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }

/** The halves of the products of 32-bit numbers. */
static inline void multiply_wide(words a, uint32_t b, words *low, words *high) {
  const __m512i factor = _mm512_set1_epi32((int)b);
  const __m512i even = _mm512_mul_epu32((__m512i)a, factor),
                odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), factor);
  *low = (words)_mm512_mask_moveldup_ps((__m512)even, 0xaaaa, (__m512)odd);
  *high = (words)_mm512_mask_movehdup_ps((__m512)odd, 0x5555, (__m512)even);
}

/** to[4·lane + i] = xᵢ[lane] */
static inline void store_interleaved(float *to, floats x0, floats x1, floats x2, floats x3) {
  const __m512d low01 = (__m512d)_mm512_unpacklo_ps(x0, x1), low23 = (__m512d)_mm512_unpacklo_ps(x2, x3);
  const __m512d high01 = (__m512d)_mm512_unpackhi_ps(x0, x1), high23 = (__m512d)_mm512_unpackhi_ps(x2, x3);
  // Quarter q of a has lane 4q of all, of b 4q + 1, and so on.
  const floats a = (floats)_mm512_unpacklo_pd(low01, low23), b = (floats)_mm512_unpackhi_pd(low01, low23);
  const floats c = (floats)_mm512_unpacklo_pd(high01, high23), d = (floats)_mm512_unpackhi_pd(high01, high23);
  const floats ab01 = _mm512_shuffle_f32x4(a, b, 0x44), ab23 = _mm512_shuffle_f32x4(a, b, 0xee);
  const floats cd01 = _mm512_shuffle_f32x4(c, d, 0x44), cd23 = _mm512_shuffle_f32x4(c, d, 0xee);
  store(to, _mm512_shuffle_f32x4(ab01, cd01, 0x88));
  store(to + 16, _mm512_shuffle_f32x4(ab01, cd01, 0xdd));
  store(to + 32, _mm512_shuffle_f32x4(ab23, cd23, 0x88));
  store(to + 48, _mm512_shuffle_f32x4(ab23, cd23, 0xdd));
}

/** The largest lane; a NaN may be passed over. */
static inline float greatest_lane(floats x) { return _mm512_reduce_max_ps(x); }

/** Of numbers with a sign, lane by lane, and of all lanes. */
static inline words greatest_word(words a, words b) { return (words)_mm512_max_epi32((__m512i)a, (__m512i)b); }
static inline uint32_t greatest_lane_word(words x) { return (uint32_t)_mm512_reduce_max_epi32((__m512i)x); }

/** Integers that a narrower type holds. */
static inline void store_narrow(void *to, words x, int wide) {
  if (wide) _mm256_storeu_si256(to, _mm512_cvtepi32_epi16((__m512i)x));
  else _mm_storeu_si128(to, _mm512_cvtepi32_epi8((__m512i)x));
}
static inline words load_narrow(const void *from, int wide) {
  return (words)(wide ? _mm512_cvtepi16_epi32(_mm256_loadu_si256(from)) : _mm512_cvtepi8_epi32(_mm_loadu_si128(from)));
}
