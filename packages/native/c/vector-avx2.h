// Eight floats of AVX2, as `matmul-kernel.h` and `row-products.h` want them.
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
