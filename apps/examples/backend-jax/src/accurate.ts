import { jit, lax, numpy as np } from '@jax-js/jax';

/**
 * Functions that the library computes less accurately than the contract asks, composed of its own operations and fused
 * by its `jit`. Each says what was wrong. A function of the library frees its arguments; `ref` keeps one for later use.
 */

/** a₀ + a₁x + a₂x² + … */
function polynomial(x: np.Array, coefficients: readonly number[]): np.Array {
  const sum = coefficients
    .slice(0, -1)
    .reduceRight<np.Array | number>((rest, coefficient) => x.ref.mul(rest).add(coefficient), coefficients.at(-1)!);
  x.dispose();
  return sum as np.Array;
}

/** x · (a₀ + a₁x² + a₂x⁴ + …) */
const oddPolynomial = (x: np.Array, coefficients: readonly number[]) =>
  polynomial(np.square(x.ref), coefficients).mul(x);

const where = (condition: np.Array, a: np.Array, b: np.Array) => np.where(condition, a, b);

/** Shifts take no plain numbers. */
const mantissaBits = () => np.array(23, { dtype: np.int32 });

/** The library subtracts from 0, which loses the sign of a zero. */
export const negate = jit((x: np.Array) => x.mul(-1));

/** The library's keeps −0. */
export const absolute = jit((x: np.Array) =>
  lax.bitcastConvertType(np.bitwiseAnd(lax.bitcastConvertType(x, np.int32), 0x7fffffff), np.float32),
);

/** The library's is infinite from 88.4 on, where f32 reaches 88.7, and 0 where f32 has subnormals. */
export const exp = jit((x: np.Array) => np.square(np.exp(x.mul(0.5))));

/**
 * The library's is off by up to 1.3e-5. The mantissa is brought to [√½, √2], whose logarithm is 2·atanh;
 * 0x3f3504f3 are the bits of √½. The shift, which is logical, is of a number that is not negative.
 */
export const log = jit((x: np.Array) => {
  const small = np.less(x.ref, 2 ** -100);
  const scaled = where(small.ref, x.ref.mul(2 ** 64), x);
  const bits = lax.bitcastConvertType(scaled.ref, np.int32);
  const exponent = np.rightShift(bits.ref.add(0x3f800000 - 0x3f3504f3), mantissaBits()).sub(127);
  const mantissa = lax.bitcastConvertType(bits.sub(np.leftShift(exponent.ref, mantissaBits())), np.float32);
  const t = np.trueDivide(mantissa.ref.sub(1), mantissa.add(1));
  const whole = exponent.astype(np.float32).sub(small.astype(np.float32).mul(64));
  const result = whole.mul(Math.LN2).add(oddPolynomial(t, [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9]));
  const special = np.log(scaled); // −∞, ∞ and NaN
  return where(np.isfinite(special.ref), result, special);
});

/** The library's is 0 at small x, because it subtracts from 1. */
export const tanh = jit((x: np.Array) => {
  const series = oddPolynomial(x.ref, [1, -1 / 3, 2 / 15, -17 / 315, 62 / 2835]);
  return where(np.less(np.absolute(x.ref), 0.3), series, np.tanh(x));
});

/** The library's is off by up to 9 units of 2^-24 below ½; the contract allows 8. */
export const erf = jit((x: np.Array) => {
  const slope = 2 / Math.sqrt(Math.PI);
  const terms = [1, -1 / 3, 1 / 10, -1 / 42, 1 / 216, -1 / 1320];
  const series = oddPolynomial(
    x.ref,
    terms.map((term) => term * slope),
  );
  return where(np.less(np.absolute(x.ref), 0.5), series, lax.erf(x));
});

/**
 * The library's is floor(x + ½), which rounds the sum first and loses the sign of a zero. Adding 2^23 rounds to even;
 * without `jit`, which simplifies x + c − c to x.
 */
export function round(x: np.Array): np.Array {
  const size = np.absolute(x.ref);
  const rounded = where(np.less(size.ref, 2 ** 23), size.ref.add(2 ** 23).sub(2 ** 23), size);
  return np.copysign(rounded, x);
}
