// Sixteen floats of AVX-512, as `matmul-kernel.h` and `row-products.h` want them.
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
static inline floats load_first(const float *from, int count) { return _mm512_maskz_loadu_ps(first_lanes(count), from); }
static inline void store_first(float *to, floats x, int count) { _mm512_mask_storeu_ps(to, first_lanes(count), x); }
