// Eight sums of a dot product in one AVX register, and transposed blocks.
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

typedef __m256 eight;

static inline eight eight_zero(void) { return _mm256_setzero_ps(); }
static inline eight eight_load(const float *from) { return _mm256_loadu_ps(from); }
static inline eight eight_multiply_add(eight a, eight b, eight c, int fused) {
  return fused ? _mm256_fmadd_ps(a, b, c) : _mm256_add_ps(_mm256_mul_ps(a, b), c);
}

static inline eight eight_splat(float x) { return _mm256_set1_ps(x); }
static inline void eight_store(float *to, eight x) { _mm256_storeu_ps(to, x); }
static inline eight eight_add(eight a, eight b) { return _mm256_add_ps(a, b); }
static inline eight eight_subtract(eight a, eight b) { return _mm256_sub_ps(a, b); }
static inline eight eight_multiply(eight a, eight b) { return _mm256_mul_ps(a, b); }

/** Adds `count` (1 to 4) more products to the first four sums. */
static inline eight eight_add_rest(eight sums, const float *a, const float *b, int count, int fused) {
  const __m128i mask = _mm_cmpgt_epi32(_mm_set1_epi32(count), _mm_setr_epi32(0, 1, 2, 3));
  const __m128 x = _mm_maskload_ps(a, mask), y = _mm_maskload_ps(b, mask), low = _mm256_castps256_ps128(sums);
  const __m128 sum = fused ? _mm_fmadd_ps(x, y, low) : _mm_add_ps(_mm_mul_ps(x, y), low);
  return _mm256_insertf128_ps(sums, sum, 0);
}

/** Lanes i and i + 4, then those two and two apart, then the last pair. */
static inline float eight_total(eight sums) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/** The halves of each added first, then both, then as above. */
static inline float sixteen_total(eight low, eight high) {
  const __m128 first = _mm_add_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
  const __m128 last = _mm_add_ps(_mm256_castps256_ps128(high), _mm256_extractf128_ps(high, 1));
  const __m128 four = _mm_add_ps(first, last), two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/** Entries of 16 bytes by the lower halves of 16 others, then by the upper ones. */
static inline void look_up_nibbles(const uint8_t *from, const int8_t *entries, int8_t *to) {
  const __m128i table = _mm_loadu_si128((const __m128i *)entries), pairs = _mm_loadu_si128((const __m128i *)from);
  const __m128i low = _mm_set1_epi8(15);
  _mm_storeu_si128((__m128i *)to, _mm_shuffle_epi8(table, _mm_and_si128(pairs, low)));
  _mm_storeu_si128((__m128i *)(to + 16), _mm_shuffle_epi8(table, _mm_and_si128(_mm_srli_epi16(pairs, 4), low)));
}

enum { TURNED = 8 };

/** Transposes eight lines of eight terms: line l, term t from source[l·stride + t] to target[t·width + l]. */
static inline void turn_block(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width) {
  __m256 pairs[8], fours[8];
  for (int i = 0; i < 4; i++) {
    // Lines i and i + 4 side by side in the halves, for terms 0 to 3 and 4 to 7.
    for (int half = 0; half < 2; half++) {
      const __m128 low = _mm_loadu_ps(source + i * stride + 4 * half);
      const __m128 high = _mm_loadu_ps(source + (i + 4) * stride + 4 * half);
      pairs[4 * half + i] = _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
    }
  }
  for (int half = 0; half < 8; half += 4) {
    const __m256 a = _mm256_unpacklo_ps(pairs[half], pairs[half + 1]),
                 b = _mm256_unpackhi_ps(pairs[half], pairs[half + 1]);
    const __m256 c = _mm256_unpacklo_ps(pairs[half + 2], pairs[half + 3]);
    const __m256 d = _mm256_unpackhi_ps(pairs[half + 2], pairs[half + 3]);
    fours[half] = _mm256_shuffle_ps(a, c, 0x44);
    fours[half + 1] = _mm256_shuffle_ps(a, c, 0xee);
    fours[half + 2] = _mm256_shuffle_ps(b, d, 0x44);
    fours[half + 3] = _mm256_shuffle_ps(b, d, 0xee);
  }
  for (int t = 0; t < 8; t++) _mm256_storeu_ps(target + t * width, fours[t]);
}

/** Transposes four lines of four terms. */
static inline void turn_four(const float *source, ptrdiff_t stride, float *target, ptrdiff_t width) {
  __m128 a = _mm_loadu_ps(source), b = _mm_loadu_ps(source + stride);
  __m128 c = _mm_loadu_ps(source + 2 * stride), d = _mm_loadu_ps(source + 3 * stride);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(target, a);
  _mm_storeu_ps(target + width, b);
  _mm_storeu_ps(target + 2 * width, c);
  _mm_storeu_ps(target + 3 * width, d);
}
