import { madd } from './arithmetic';
import { exponential } from './exponential';

/** Constants, in memory: see `exponential.ts`. */
const TABLE = memory.data<f32>(
  [
    7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1, -2.1219444e-4, -0.5, 0.693359375, 1, 8388608, -5.70498872745e-3,
    2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1, 0.625, 2,
  ],
  64,
);

// @ts-ignore: decorators are AssemblyScript's
@inline
function constant(place: usize): v128 {
  return v128.load32_splat(TABLE + 4 * place);
}

/**
 * ln x to 2 units in the last place, by the polynomial of the Cephes library's logf (S. Moshier); of subnormal numbers
 * too.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function logarithm(x: v128): v128 {
  const zero = f32x4.splat(0);
  const infinity = f32x4.splat(Infinity);
  const tiny = f32x4.lt(x, f32x4.splat(1.1754943508222875e-38));
  const scaled = v128.bitselect(f32x4.mul(x, constant(13)), x, tiny);
  // scaled = m·2^e with m in [√½, √2): the bits of √½ taken away leave e in the exponent field.
  const whole = i32x4.shr_s(i32x4.sub(scaled, i32x4.splat(0x3f3504f3)), 23);
  const f = f32x4.sub(i32x4.sub(scaled, i32x4.shl(whole, 23)), constant(12));
  const e = f32x4.convert_i32x4_s(i32x4.sub(whole, v128.and(tiny, i32x4.splat(23))));
  const z = f32x4.mul(f, f);
  let p = madd(constant(0), f, constant(1));
  p = madd(p, f, constant(2));
  p = madd(p, f, constant(3));
  p = madd(p, f, constant(4));
  p = madd(p, f, constant(5));
  p = madd(p, f, constant(6));
  p = madd(p, f, constant(7));
  p = madd(p, f, constant(8));
  p = f32x4.mul(p, f32x4.mul(f, z));
  p = madd(constant(9), e, p);
  p = madd(constant(10), z, p);
  let result = madd(constant(11), e, f32x4.add(f, p));
  // Infinity gives Infinity, a negative number NaN, NaN gives NaN.
  result = v128.bitselect(f32x4.splat(-Infinity), result, f32x4.eq(x, zero));
  result = v128.bitselect(x, result, f32x4.eq(x, infinity));
  return v128.bitselect(result, f32x4.splat(NaN), f32x4.ge(x, zero));
}

/** tanh x, right in relative terms near 0 too (the polynomial of Cephes' tanhf there); ±1 at ±Infinity. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function hyperbolicTangent(x: v128): v128 {
  const size = f32x4.abs(x);
  const square = f32x4.mul(x, x);
  let p = madd(constant(14), square, constant(15));
  p = madd(p, square, constant(16));
  p = madd(p, square, constant(17));
  p = madd(p, square, constant(18));
  const near = madd(f32x4.mul(p, square), x, x);
  const one = constant(12);
  const two = constant(20);
  const far = f32x4.sub(one, f32x4.div(two, f32x4.add(exponential(f32x4.mul(size, two)), one)));
  const sign = v128.and(x, i32x4.splat(<i32>0x80000000));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(size, constant(19)));
}
