// Eight floats of AVX2, with the operations that the kernels use.
#include <immintrin.h>

#include "eight-avx.h"

typedef __m256 floats;
enum { LANES = 8 };

static inline floats load(const float *from) { return _mm256_loadu_ps(from); }
static inline void store(float *to, floats x) { _mm256_storeu_ps(to, x); }
static inline floats splat(float x) { return _mm256_set1_ps(x); }
static inline floats multiply(floats a, floats b) { return _mm256_mul_ps(a, b); }
static inline floats fused_multiply_add(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
static inline floats multiply_then_add(floats a, floats b, floats c) { return _mm256_add_ps(_mm256_mul_ps(a, b), c); }

static inline __m256i first_lanes(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/** The first `count` lanes; the others are 0 and not read. */
static inline floats load_first(const float *from, int count) { return _mm256_maskload_ps(from, first_lanes(count)); }
static inline void store_first(float *to, floats x, int count) { _mm256_maskstore_ps(to, first_lanes(count), x); }

#include "vector-operations.h"

/** b where it is less, else a; and where it is greater. */
static inline floats pick_least(floats a, floats b) { return _mm256_min_ps(b, a); }
static inline floats pick_greatest(floats a, floats b) { return _mm256_max_ps(b, a); }
static inline floats square_root(floats x) { return _mm256_sqrt_ps(x); }
/** To the nearest integer, ties to even. */
static inline floats nearest(floats x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/** Toward zero, as x86 does: what does not fit is the least integer. */
static inline words truncated(floats x) { return (words)_mm256_cvttps_epi32(x); }
static inline words lane_numbers(void) { return (words){0, 1, 2, 3, 4, 5, 6, 7}; }

/** The halves of the products of 32-bit numbers. */
static inline void multiply_wide(words a, uint32_t b, words *low, words *high) {
  const __m256i factor = _mm256_set1_epi32((int)b);
  const __m256i even = _mm256_mul_epu32((__m256i)a, factor),
                odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)a, 32), factor);
  *low = (words)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
  *high = (words)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

/** to[4·lane + i] = xᵢ[lane] */
static inline void store_interleaved(float *to, floats x0, floats x1, floats x2, floats x3) {
  const __m256d low01 = (__m256d)_mm256_unpacklo_ps(x0, x1), low23 = (__m256d)_mm256_unpacklo_ps(x2, x3);
  const __m256d high01 = (__m256d)_mm256_unpackhi_ps(x0, x1), high23 = (__m256d)_mm256_unpackhi_ps(x2, x3);
  const floats a = (floats)_mm256_unpacklo_pd(low01, low23), b = (floats)_mm256_unpackhi_pd(low01, low23);
  const floats c = (floats)_mm256_unpacklo_pd(high01, high23), d = (floats)_mm256_unpackhi_pd(high01, high23);
  store(to, _mm256_permute2f128_ps(a, b, 0x20));
  store(to + 8, _mm256_permute2f128_ps(c, d, 0x20));
  store(to + 16, _mm256_permute2f128_ps(a, b, 0x31));
  store(to + 24, _mm256_permute2f128_ps(c, d, 0x31));
}

/** The largest lane; a NaN may be passed over. */
static inline float greatest_lane(floats x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/** Of numbers with a sign, lane by lane, and of all lanes. */
static inline words greatest_word(words a, words b) { return (words)_mm256_max_epi32((__m256i)a, (__m256i)b); }
static inline uint32_t greatest_lane_word(words x) {
  const __m128i four = _mm_max_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
  const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return (uint32_t)_mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

/** Integers that a narrower type holds. */
static inline void store_narrow(void *to, words x, int wide) {
  const __m128i two_bytes =
      _mm_packs_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
  if (wide) _mm_storeu_si128(to, two_bytes);
  else _mm_storel_epi64(to, _mm_packs_epi16(two_bytes, two_bytes));
}
static inline words load_narrow(const void *from, int wide) {
  return (words)(wide ? _mm256_cvtepi16_epi32(_mm_loadu_si128(from)) : _mm256_cvtepi8_epi32(_mm_loadl_epi64(from)));
}
