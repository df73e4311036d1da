// eˣ: 2ⁿ·eʳ with |r| ≤ ln 2 / 2, and the minimax polynomial of the Cephes library's expf (S. Moshier). The operations
// are those of `assembly/exponential.ts`.

/** 1.5·2^23: adding it rounds to an integer, which then stands in the low bits. */
#define MAGIC 12582912.0f

/** eʳ for x = n·ln 2 + r, and n as an integer added to `magic`. */
static inline ALWAYS_INLINE floats reduced_exponential(floats x, floats magic, words *n_bits) {
  const floats t = multiply_add(x, splat(1.4426950408889634f), magic), n = t - magic;
  const floats r = multiply_add(n, splat(2.1219444e-4f), multiply_add(n, splat(-0.693359375f), x));
  floats p = multiply_add(splat(1.98756915e-4f), r, splat(1.3981999507e-3f));
  p = multiply_add(p, r, splat(8.3334519073e-3f));
  p = multiply_add(p, r, splat(4.1665795894e-2f));
  p = multiply_add(p, r, splat(1.6666665459e-1f));
  p = multiply_add(p, r, splat(5.0000001201e-1f));
  *n_bits = bits_of(t);
  return multiply_add(p, r * r, r) + splat(1);
}

/** To 2 units in the last place, subnormal results included: 2ⁿ in two factors, each of which float32 holds. */
static inline ALWAYS_INLINE floats exponential(floats x) {
  words n;
  const floats clamped = pick_least(pick_greatest(x, splat(-110)), splat(90));
  const floats p = reduced_exponential(clamped, splat(MAGIC), &n);
  const words one = splat_word(0x3f800000u), whole = n - bits_of(splat(MAGIC)), half = shift_signed(whole, 1);
  // Added to the exponent of 1.
  return p * floats_of((half << 23) + one) * floats_of(((whole - half) << 23) + one);
}

/** Of x ≤ 0, subnormal results included. */
static inline ALWAYS_INLINE floats exponential_of_negative(floats x) {
  words n;
  const floats p = reduced_exponential(pick_greatest(x, splat(-110)), splat(MAGIC + 127 + 64), &n);
  return p * floats_of(n << 23) * splat(0x1p-64f);
}

/** 0 for what is no normal number (under −87.7), and Infinity above 88.37. */
static inline ALWAYS_INLINE floats normal_exponential(floats x) {
  words n;
  const floats clamped = pick_least(pick_greatest(x, splat(-88)), splat(89));
  const floats p = reduced_exponential(clamped, splat(MAGIC + 127), &n);
  return p * floats_of(n << 23);
}
