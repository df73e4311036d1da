import type { BinaryName, ComparisonName, UnaryName } from '@lmd/core';
import erf from '@stdlib/math-base-special-erf';

/** To the nearest integer, ties to the even one; keeps the sign of zero. */
function roundHalfEven(x: number): number {
  // Halving first sends a tie to a quarter or three quarters, which rounds to the even neighbour's half.
  return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}

export const unaryFunctions: Readonly<Record<UnaryName, (x: number) => number>> = {
  negate: (x) => -x,
  absolute: Math.abs,
  sign: Math.sign,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  erf,
  round: roundHalfEven,
};

/** Math.max and Math.min return NaN beside a NaN, as the contract asks. */
export const binaryFunctions: Readonly<Record<BinaryName, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

export const comparisonFunctions: Readonly<Record<ComparisonName, (a: number, b: number) => boolean>> = {
  equal: (a, b) => a === b,
  greater: (a, b) => a > b,
  less: (a, b) => a < b,
};
