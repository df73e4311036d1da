// erf x. The operations are those of `assembly/error-function.ts`.

/** e^(z²)·erfc(z) for z ≥ 0: (z + a)·erfcx(z) as a polynomial in (z − a)/(z + a). */
static inline ALWAYS_INLINE floats scaled_complement(floats z) {
  const floats inverse = splat(1) / (z + splat(2.5f)), t = multiply_add(splat(-5), inverse, splat(1)), q = t * t;
  floats even = multiply_add(splat(-0.00007016012931103433f), q, splat(0.0006592908098085104f));
  floats odd = multiply_add(splat(0.000027007129834260013f), q, splat(-0.0004139249850145177f));
  even = multiply_add(even, q, splat(-0.004797361165956104f));
  odd = multiply_add(odd, q, splat(0.008383131874000043f));
  even = multiply_add(even, q, splat(0.028356676182617273f));
  odd = multiply_add(odd, q, splat(-0.17124948742894378f));
  even = multiply_add(even, q, splat(0.45391452618770367f));
  odd = multiply_add(odd, q, splat(-0.8046519288279469f));
  even = multiply_add(even, q, splat(1.0540318146978152f));
  return multiply_add(t, odd, even) * inverse;
}

/** Right in relative terms near 0 too, by the Maclaurin series there; ±1 at ±Infinity. */
static inline ALWAYS_INLINE floats error_function(floats x) {
  const floats square = x * x;
  floats series = multiply_add(square, splat(-8.548327023e-4f), splat(5.223977625e-3f));
  series = multiply_add(series, square, splat(-2.686617064e-2f));
  series = multiply_add(series, square, splat(1.128379167e-1f));
  series = multiply_add(series, square, splat(-3.761263890e-1f));
  series = multiply_add(series, square, splat(1.128379167f));
  const floats tail = exponential(negative(square)) * scaled_complement(absolute(x));
  const floats far = floats_of(bits_of(splat(1) - tail) | (bits_of(x) & 0x80000000u));
  return select_floats(is_less(square, splat(0.25f)), x * series, far);
}
