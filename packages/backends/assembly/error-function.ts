import { madd } from './arithmetic';
import { exponential } from './exponential';

/** Constants, in memory: see `exponential.ts`. */
const TABLE = memory.data<f32>(
  [
    1, 2.5, -5, -0.00007016012931103433, 0.0006592908098085104, 0.000027007129834260013, -0.0004139249850145177,
    -0.004797361165956104, 0.008383131874000043, 0.028356676182617273, -0.17124948742894378, 0.45391452618770367,
    -0.8046519288279469, 1.0540318146978152, -8.548327023e-4, 5.223977625e-3, -2.686617064e-2, 1.128379167e-1,
    -3.76126389e-1, 1.128379167,
  ],
  64,
);

// @ts-ignore: decorators are AssemblyScript's
@inline
function constant(place: usize): v128 {
  return v128.load32_splat(TABLE + 4 * place);
}

/**
 * e^(z²)·erfc(z) for z ≥ 0: (z + a)·erfcx(z) as a polynomial in (z − a)/(z + a), as in
 * `host-kernels/error-function.ts`.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
function scaledComplement(z: v128): v128 {
  const inverse = f32x4.div(constant(0), f32x4.add(z, constant(1)));
  const t = madd(constant(2), inverse, constant(0));
  const q = f32x4.mul(t, t);
  let even = madd(constant(3), q, constant(4));
  let odd = madd(constant(5), q, constant(6));
  even = madd(even, q, constant(7));
  odd = madd(odd, q, constant(8));
  even = madd(even, q, constant(9));
  odd = madd(odd, q, constant(10));
  even = madd(even, q, constant(11));
  odd = madd(odd, q, constant(12));
  even = madd(even, q, constant(13));
  return f32x4.mul(madd(t, odd, even), inverse);
}

/** erf x, right in relative terms near 0 too (by its Maclaurin series there); ±1 at ±Infinity. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function errorFunction(x: v128): v128 {
  const square = f32x4.mul(x, x);
  let series = madd(square, constant(14), constant(15));
  series = madd(series, square, constant(16));
  series = madd(series, square, constant(17));
  series = madd(series, square, constant(18));
  series = madd(series, square, constant(19));
  const near = f32x4.mul(x, series);
  const tail = f32x4.mul(exponential(f32x4.neg(square)), scaledComplement(f32x4.abs(x)));
  const sign = v128.and(x, i32x4.splat(<i32>0x80000000));
  const far = v128.or(f32x4.sub(constant(0), tail), sign);
  return v128.bitselect(near, far, f32x4.lt(square, f32x4.splat(0.25)));
}
