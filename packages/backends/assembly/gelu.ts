// GELU (Hendrycks & Gimpel, arXiv:1606.08415) and its gradient. Flat kernels do the elements `from` (a
// multiple of 16) to `to` in whole vectors: a tensor's block has room for that.

import { madd } from './arithmetic';
import { exponential } from './exponential';

/** Beyond this, Φ is 0 or 1 in float32. */
const REACH: f32 = 15;

/** Constants, in memory: see `exponential.ts`. */
const TABLE = memory.data<f32>(
  [
    -0.5,
    0.7071067811865476,
    1,
    2.5,
    -5,
    -0.00007016012931103433,
    0.0006592908098085104,
    0.000027007129834260013,
    -0.0004139249850145177,
    -0.004797361165956104,
    0.008383131874000043,
    0.028356676182617273,
    -0.17124948742894378,
    0.45391452618770367,
    -0.8046519288279469,
    1.0540318146978152,
    0.5,
    -8.548327023e-4,
    5.223977625e-3,
    -2.686617064e-2,
    1.128379167e-1,
    -3.761263890e-1,
    1.128379167,
  ],
  64,
);

// @ts-ignore: decorators are AssemblyScript's
@inline
function constant(place: usize): v128 {
  return v128.load32_splat(TABLE + 4 * place);
}

/** e^(−x²/2). */
// @ts-ignore: decorators are AssemblyScript's
@inline
function kernelOf(x: v128): v128 {
  return exponential(f32x4.mul(f32x4.mul(x, x), constant(0)));
}

/** e^(z²)·erfc(z) for z ≥ 0: (z + a)·erfcx(z) as a polynomial in (z − a)/(z + a), as in `host-kernels/error-function.ts`. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function scaledComplement(z: v128): v128 {
  const inverse = f32x4.div(constant(2), f32x4.add(z, constant(3)));
  const t = madd(constant(4), inverse, constant(2));
  const q = f32x4.mul(t, t);
  let even = madd(constant(5), q, constant(6));
  let odd = madd(constant(7), q, constant(8));
  even = madd(even, q, constant(9));
  odd = madd(odd, q, constant(10));
  even = madd(even, q, constant(11));
  odd = madd(odd, q, constant(12));
  even = madd(even, q, constant(13));
  odd = madd(odd, q, constant(14));
  even = madd(even, q, constant(15));
  return f32x4.mul(madd(t, odd, even), inverse);
}

/** Φ(x), given e^(−x²/2). */
// @ts-ignore: decorators are AssemblyScript's
@inline
function distribution(x: v128, kernel: v128): v128 {
  const scaled = scaledComplement(f32x4.mul(f32x4.abs(x), constant(1)));
  const tail = f32x4.mul(f32x4.mul(kernel, constant(16)), scaled);
  return v128.bitselect(f32x4.sub(constant(2), tail), tail, f32x4.gt(x, f32x4.splat(0)));
}

/** erf x, right in relative terms near 0 too (by its Maclaurin series there); ±1 at ±Infinity. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function errorFunction(x: v128): v128 {
  const square = f32x4.mul(x, x);
  let series = madd(square, constant(17), constant(18));
  series = madd(series, square, constant(19));
  series = madd(series, square, constant(20));
  series = madd(series, square, constant(21));
  series = madd(series, square, constant(22));
  const near = f32x4.mul(x, series);
  const tail = f32x4.mul(exponential(f32x4.neg(square)), scaledComplement(f32x4.abs(x)));
  const sign = v128.and(x, i32x4.splat(<i32>0x80000000));
  const far = v128.or(f32x4.sub(constant(2), tail), sign);
  return v128.bitselect(near, far, f32x4.lt(square, f32x4.splat(0.25)));
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function within(x: v128, reach: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(-reach)), f32x4.splat(reach));
}

/** x·Φ(x). */
export function geluExact(from: i32, to: i32, x: usize, out: usize): void {
  const end = x + (<usize>to << 2);
  x += <usize>from << 2;
  out += <usize>from << 2;
  for (; x < end; x += 16, out += 16) {
    const value = v128.load(x);
    const near = within(value, REACH);
    v128.store(out, f32x4.mul(value, distribution(near, kernelOf(near))));
  }
}

/** dy·(Φ(x) + x·φ(x)). */
export function geluExactGradient(from: i32, to: i32, x: usize, dy: usize, out: usize): void {
  const end = x + (<usize>to << 2);
  x += <usize>from << 2;
  dy += <usize>from << 2;
  out += <usize>from << 2;
  for (; x < end; x += 16, dy += 16, out += 16) {
    const near = within(v128.load(x), REACH);
    const kernel = kernelOf(near);
    const density = f32x4.mul(kernel, f32x4.splat(0.3989422804014327));
    v128.store(out, f32x4.mul(v128.load(dy), madd(near, density, distribution(near, kernel))));
  }
}

/** Of the tanh form: 0.5·x·(1 + tanh u) = x·logistic(2u) with 2u = 2√(2/π)·(x + 0.044715·x³). */
const SLOPE: f32 = 1.5957691216057308;
const CUBIC: f32 = 0.044715;

// @ts-ignore: decorators are AssemblyScript's
@inline
function doubleAngle(x: v128, square: v128): v128 {
  return f32x4.mul(f32x4.mul(x, f32x4.splat(SLOPE)), madd(square, f32x4.splat(CUBIC), f32x4.splat(1)));
}

export function geluTanh(from: i32, to: i32, x: usize, out: usize): void {
  const end = x + (<usize>to << 2);
  x += <usize>from << 2;
  out += <usize>from << 2;
  const one = f32x4.splat(1);
  for (; x < end; x += 16, out += 16) {
    const value = v128.load(x);
    const angle = doubleAngle(value, f32x4.mul(value, value));
    v128.store(out, f32x4.div(value, f32x4.add(one, exponential(f32x4.neg(angle)))));
  }
}

export function geluTanhGradient(from: i32, to: i32, x: usize, dy: usize, out: usize): void {
  const end = x + (<usize>to << 2);
  x += <usize>from << 2;
  dy += <usize>from << 2;
  out += <usize>from << 2;
  const one = f32x4.splat(1);
  for (; x < end; x += 16, dy += 16, out += 16) {
    // The logistic function is 0 or 1 in float32 well before 12.
    const near = within(v128.load(x), 12);
    const square = f32x4.mul(near, near);
    // Of minus the absolute value: nothing overflows, and both tails keep full precision.
    const e = exponential(f32x4.neg(f32x4.abs(doubleAngle(near, square))));
    const share = f32x4.div(one, f32x4.add(one, e));
    const other = f32x4.mul(e, share);
    const gate = v128.bitselect(share, other, f32x4.gt(near, f32x4.splat(0)));
    const growth = f32x4.mul(f32x4.splat(SLOPE), madd(square, f32x4.splat(3 * CUBIC), one));
    const derivative = madd(f32x4.mul(near, growth), f32x4.mul(share, other), gate);
    v128.store(out, f32x4.mul(v128.load(dy), derivative));
  }
}
