// GELU (Hendrycks & Gimpel, arXiv:1606.08415), its tanh form, and their gradients: each is ½ plus an odd function of x,
// which a quotient of polynomials gives to 2e-7, as far as 1 + erf is known in float32, in a third of the time that an
// exponential takes. Flat kernels do the elements `from` (a multiple of 16) to `to` in whole vectors: a tensor's block
// has room for that.

import { madd } from './arithmetic';

/**
 * Constants, in memory (see `exponential.ts`). For each function: beyond which |x| it is constant, then the
 * coefficients of x²ⁿ, the highest first, of the numerator and the denominator; fitted for the least largest error
 * after rounding to float32.
 */
const EXACT = memory.data<f32>(
  [
    5.840000152587891, 2.0914443510378078e-8, 6.314311576716136e-6, 1.8163946515414864e-4, 4.755049012601376e-3,
    3.524342179298401e-2, 3.989422619342804e-1, 1.1407651072659064e-6, 7.706381438765675e-5, 1.9584603141993284e-3,
    2.942204289138317e-2, 2.5500819087028503e-1, 1,
  ],
  64,
);
const HALF = memory.data<f32>([0.5], 64);
const TANH = memory.data<f32>(
  [
    5.21999979019165, 2.3519440617292275e-8, 7.008645297901239e-6, 1.3540276268031448e-4, 3.6433355417102575e-3,
    3.0667977407574654e-2, 3.989422917366028e-1, 1.2969189810974058e-6, 7.608457963215187e-5, 1.3092936715111136e-3,
    2.448909915983677e-2, 2.443651556968689e-1, 1,
  ],
  64,
);
const EXACT_GRADIENT = memory.data<f32>(
  [
    6.199999809265137, -3.0153379793063095e-11, 1.4672696835305032e-8, 1.3716498870053329e-6, 3.207169720553793e-5,
    3.785998560488224e-4, 1.3367464765906334e-2, -1.2864972464740276e-2, 7.978845238685608e-1, 4.3096312651869084e-7,
    1.205310854857089e-5, 2.81914253719151e-4, 4.416906740516424e-3, 4.749142751097679e-2, 3.172090947628021e-1, 1,
  ],
  64,
);
const TANH_GRADIENT = memory.data<f32>(
  [
    5.570000171661377, -3.642170245954368e-11, 9.84415038374209e-9, 4.884110538228015e-8, 2.9650180294993334e-5,
    -3.062319883611053e-4, 1.3558325357735157e-2, -5.092789977788925e-2, 7.978845834732056e-1, 1.4374991508248058e-7,
    3.858940999634797e-6, 1.2283081014174968e-4, 1.6994776669889688e-3, 3.1110700219869614e-2, 2.7115440368652344e-1, 1,
  ],
  64,
);

// @ts-ignore: decorators are AssemblyScript's
@inline
function at(table: usize, place: usize): v128 {
  return v128.load32_splat(table + 4 * place);
}

/**
 * The odd function of a table with numerator and denominator of five powers, kept within ±½: Φ(x) − ½, or what stands
 * for it.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
function oddPart(table: usize, x: v128): v128 {
  const reach = at(table, 0);
  x = f32x4.pmin(f32x4.pmax(x, f32x4.neg(reach)), reach);
  const square = f32x4.mul(x, x);
  let p = madd(at(table, 1), square, at(table, 2));
  let q = madd(at(table, 7), square, at(table, 8));
  p = madd(p, square, at(table, 3));
  q = madd(q, square, at(table, 9));
  p = madd(p, square, at(table, 4));
  q = madd(q, square, at(table, 10));
  p = madd(p, square, at(table, 5));
  q = madd(q, square, at(table, 11));
  p = madd(p, square, at(table, 6));
  q = madd(q, square, at(table, 12));
  const half = at(HALF, 0);
  return f32x4.pmin(f32x4.pmax(f32x4.div(f32x4.mul(x, p), q), f32x4.neg(half)), half);
}

/** The same with seven powers over six. Where it is constant, it is ±½ exactly. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function oddPartOfGradient(table: usize, x: v128): v128 {
  const reach = at(table, 0);
  x = f32x4.pmin(f32x4.pmax(x, f32x4.neg(reach)), reach);
  const square = f32x4.mul(x, x);
  let p = madd(at(table, 1), square, at(table, 2));
  let q = madd(at(table, 9), square, at(table, 10));
  p = madd(p, square, at(table, 3));
  q = madd(q, square, at(table, 11));
  p = madd(p, square, at(table, 4));
  q = madd(q, square, at(table, 12));
  p = madd(p, square, at(table, 5));
  q = madd(q, square, at(table, 13));
  p = madd(p, square, at(table, 6));
  q = madd(q, square, at(table, 14));
  p = madd(p, square, at(table, 7));
  q = madd(q, square, at(table, 15));
  p = madd(p, square, at(table, 8));
  return f32x4.div(f32x4.mul(x, p), q);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function geluLoop(table: usize, from: i32, to: i32, x: usize, out: usize): void {
  const end = x + ((<usize>to) << 2);
  x += (<usize>from) << 2;
  out += (<usize>from) << 2;
  for (; x < end; x += 16, out += 16) {
    const value = v128.load(x);
    v128.store(out, f32x4.mul(value, f32x4.add(oddPart(table, value), at(HALF, 0))));
  }
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function geluGradientLoop(table: usize, from: i32, to: i32, x: usize, dy: usize, out: usize): void {
  const end = x + ((<usize>to) << 2);
  x += (<usize>from) << 2;
  dy += (<usize>from) << 2;
  out += (<usize>from) << 2;
  for (; x < end; x += 16, dy += 16, out += 16) {
    const slope = f32x4.add(oddPartOfGradient(table, v128.load(x)), at(HALF, 0));
    v128.store(out, f32x4.mul(v128.load(dy), slope));
  }
}

/** x·Φ(x) of the elements `from` (a multiple of 16) to `to`. */
export function geluExact(from: i32, to: i32, x: usize, out: usize): void {
  geluLoop(EXACT, from, to, x, out);
}

/** dy·(Φ(x) + x·φ(x)) of the elements `from` (a multiple of 16) to `to`. */
export function geluExactGradient(from: i32, to: i32, x: usize, dy: usize, out: usize): void {
  geluGradientLoop(EXACT_GRADIENT, from, to, x, dy, out);
}

/** x·½(1 + tanh u) with u = √(2/π)·(x + 0.044715·x³), of the elements `from` (a multiple of 16) to `to`. */
export function geluTanh(from: i32, to: i32, x: usize, out: usize): void {
  geluLoop(TANH, from, to, x, out);
}

/** dy times the derivative of `geluTanh`, of the elements `from` (a multiple of 16) to `to`. */
export function geluTanhGradient(from: i32, to: i32, x: usize, dy: usize, out: usize): void {
  geluGradientLoop(TANH_GRADIENT, from, to, x, dy, out);
}
