// A row times a matrix, as in generating text: each weight is used once, so that memory bounds it and nothing is
// packed.

/** Columns whose sums stay in the first-level cache. */
enum { BAND = 2048 };

/** out[j] = or += Σ over `count` rows of b, at most eight, of a[t]·b[t, j], fused: as many streams, read in order. */
static inline ALWAYS_INLINE void add_rows(const float *a, const float *b, ptrdiff_t stride, int count, float *out,
                                          ptrdiff_t columns, int accumulate) {
  floats factor[8];
  UNROLL for (int t = 0; t < count; t++) factor[t] = splat(a[t]);
  ptrdiff_t j = 0;
  for (; j + LANES <= columns; j += LANES) {
    floats sum = accumulate ? load(out + j) : splat(0);
    UNROLL for (int t = 0; t < count; t++) sum = multiply_add(factor[t], load(b + t * stride + j), sum, 1);
    store(out + j, sum);
  }
  if (j < columns) {
    const int left = (int)(columns - j);
    floats sum = accumulate ? load_first(out + j, left) : splat(0);
    UNROLL for (int t = 0; t < count; t++) sum = multiply_add(factor[t], load_first(b + t * stride + j, left), sum, 1);
    store_first(out + j, sum, left);
  }
}

/** Fused: the columns `left` to `right` of a [k] · b [k, n], added to `out` where `accumulate`. */
static inline ALWAYS_INLINE void row_times_matrix(const float *a, const float *b, float *out, ptrdiff_t k, ptrdiff_t n,
                                                  ptrdiff_t left, ptrdiff_t right, int accumulate) {
  for (ptrdiff_t column = left; column < right; column += BAND) {
    const ptrdiff_t columns = right - column < BAND ? right - column : BAND;
    ptrdiff_t t = 0;
    for (; t + 8 <= k; t += 8) add_rows(a + t, b + t * n + column, n, 8, out + column, columns, accumulate || t > 0);
    for (; t < k; t++) add_rows(a + t, b + t * n + column, n, 1, out + column, columns, accumulate || t > 0);
  }
}

/**
 * `count` columns of a [k] · bᵀ, each in eight sums: of the terms t mod 8, but for the last k mod 8, which go to the
 * first four.
 */
static inline ALWAYS_INLINE void dot_rows(const float *a, const float *b, ptrdiff_t k, int count, float *out,
                                          int fused) {
  eight sums[4];
  UNROLL for (int j = 0; j < count; j++) sums[j] = eight_zero();
  ptrdiff_t t = 0;
  for (; t + 8 <= k; t += 8) {
    const eight x = eight_load(a + t);
    UNROLL for (int j = 0; j < count; j++) sums[j] = eight_multiply_add(x, eight_load(b + j * k + t), sums[j], fused);
  }
  for (; t < k; t += 4) {
    const int rest = k - t < 4 ? (int)(k - t) : 4;
    UNROLL for (int j = 0; j < count; j++) sums[j] = eight_add_rest(sums[j], a + t, b + j * k + t, rest, fused);
  }
  UNROLL for (int j = 0; j < count; j++) out[j] = eight_total(sums[j]);
}

/** The columns `left` to `right` of a [k] · bᵀ, for b [n, k]. */
static inline ALWAYS_INLINE void row_times_transposed(const float *a, const float *b, float *out, ptrdiff_t k,
                                                      ptrdiff_t left, ptrdiff_t right, int fused) {
  ptrdiff_t column = left;
  for (; column + 4 <= right; column += 4) dot_rows(a, b + column * k, k, 4, out + column, fused);
  for (; column < right; column++) dot_rows(a, b + column * k, k, 1, out + column, fused);
}
