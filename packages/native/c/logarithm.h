// ln x and tanh x by polynomials of the Cephes library (S. Moshier). The operations are those of
// `assembly/logarithm.ts`.

/** To 2 units in the last place, of subnormal numbers too. */
static inline ALWAYS_INLINE floats logarithm(floats x) {
  const words tiny = is_less(x, splat(0x1p-126f));
  const words scaled = bits_of(select_floats(tiny, x * splat(0x1p23f), x));
  // scaled = m·2^e with m in [√½, √2): the bits of √½ taken away leave e in the exponent field.
  const words whole = shift_signed(scaled - 0x3f3504f3u, 23);
  const floats f = floats_of(scaled - (whole << 23)) - splat(1), e = from_integers(whole - (tiny & 23u)), z = f * f;
  floats p = multiply_add(splat(7.0376836292e-2f), f, splat(-1.1514610310e-1f));
  p = multiply_add(p, f, splat(1.1676998740e-1f));
  p = multiply_add(p, f, splat(-1.2420140846e-1f));
  p = multiply_add(p, f, splat(1.4249322787e-1f));
  p = multiply_add(p, f, splat(-1.6668057665e-1f));
  p = multiply_add(p, f, splat(2.0000714765e-1f));
  p = multiply_add(p, f, splat(-2.4999993993e-1f));
  p = multiply_add(p, f, splat(3.3333331174e-1f));
  p = p * (f * z);
  p = multiply_add(splat(-2.12194440e-4f), e, p);
  p = multiply_add(splat(-0.5f), z, p);
  floats result = multiply_add(splat(0.693359375f), e, f + p);
  // Infinity gives Infinity, a negative number NaN, NaN gives NaN.
  const floats infinity = floats_of(splat_word(0x7f800000u));
  result = select_floats(is_equal(x, splat(0)), negative(infinity), result);
  result = select_floats(is_equal(x, infinity), x, result);
  return select_floats(is_least(splat(0), x), result, floats_of(splat_word(0x7fc00000u)));
}

/** Right in relative terms near 0 too; ±1 at ±Infinity. */
static inline ALWAYS_INLINE floats hyperbolic_tangent(floats x) {
  const floats size = absolute(x), square = x * x;
  floats p = multiply_add(splat(-5.70498872745e-3f), square, splat(2.06390887954e-2f));
  p = multiply_add(p, square, splat(-5.37397155531e-2f));
  p = multiply_add(p, square, splat(1.33314422036e-1f));
  p = multiply_add(p, square, splat(-3.33332819422e-1f));
  const floats near = multiply_add(p * square, x, x);
  const floats far = splat(1) - splat(2) / (exponential(size * splat(2)) + splat(1));
  const floats signed_far = floats_of(bits_of(far) | (bits_of(x) & 0x80000000u));
  return select_floats(is_less(size, splat(0.625f)), near, signed_far);
}
