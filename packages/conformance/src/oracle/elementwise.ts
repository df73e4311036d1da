import type { BinaryName, ComparisonName, UnaryName } from '@lmd/core';
import { mapped, result, type Values } from '../values.js';
import { broadcastPosition, broadcastShapes, eachIndex } from './layout.js';

/** The error function to float64: Maclaurin series (Abramowitz and Stegun 7.1.5) and continued fraction (7.1.14). */
export function errorFunction(x: number): number {
  const z = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (z > 6) return Math.sign(x);
  if (z < 2) {
    // 7.1.6, whose terms are all positive: nothing cancels.
    let term = x;
    let total = x;
    for (let n = 1; n < 80; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      total += term;
    }
    return ((2 / Math.sqrt(Math.PI)) * total) / Math.exp(x * x);
  }
  let fraction = z;
  for (let n = 120; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction));
}

export function roundTiesToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest === 0.5) return down % 2 === 0 ? down : down + 1;
  return rest < 0.5 ? down : down + 1;
}

const unaryFunctions: Record<UnaryName, (x: number) => number> = {
  negate: (x) => -x,
  absolute: Math.abs,
  sign: Math.sign,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  erf: errorFunction,
  round: (x) => (Number.isFinite(x) ? roundTiesToEven(x) : x),
};

/** What the rounding error of a function is in proportion to, where that is not the result itself. See `bounds`. */
const unaryMagnitudes: Partial<Record<UnaryName, (x: number, y: number) => number>> = {
  exp: (x, y) => (y === 0 ? 0 : y * (1 + Math.abs(x))),
  log: (x, y) => (x >= 0.5 && x <= 2 ? 1 : Math.abs(y)),
  erf: () => 1,
};

export function unary(name: UnaryName, x: Values): Values {
  const data = x.data.map(unaryFunctions[name]);
  const magnitude = unaryMagnitudes[name];
  return result(x.shape, data, magnitude && data.map((y, i) => magnitude(x.data[i]!, y)));
}

const binaryFunctions: Record<BinaryName, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

export const binary = (name: BinaryName, a: Values, b: Values): Values => zip(a, b, binaryFunctions[name], 'f32');

const comparisonFunctions: Record<ComparisonName, (a: number, b: number) => boolean> = {
  equal: (a, b) => a === b,
  greater: (a, b) => a > b,
  less: (a, b) => a < b,
};

export function comparison(name: ComparisonName, a: Values, b: Values): Values {
  return zip(a, b, (p, q) => (comparisonFunctions[name](p, q) ? 1 : 0), 'i32');
}

export function where(condition: Values, a: Values, b: Values): Values {
  const shape = broadcastShapes(condition.shape, a.shape, b.shape);
  const data = new Float64Array(shape.reduce((size, extent) => size * extent, 1));
  eachIndex(shape, (index, position) => {
    const chosen = condition.data[broadcastPosition(index, condition.shape)] !== 0 ? a : b;
    data[position] = chosen.data[broadcastPosition(index, chosen.shape)]!;
  });
  return result(shape, data, undefined, undefined, a.dtype);
}

/** Truncated to an i32; NaN is 0. */
function saturated(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(Math.max(Math.trunc(value), -(2 ** 31)), 2 ** 31 - 1) + 0;
}

export function cast(x: Values, dtype: 'f32' | 'i32'): Values {
  return mapped(x, dtype === 'i32' ? saturated : Math.fround, dtype);
}

function zip(a: Values, b: Values, f: (a: number, b: number) => number, dtype: 'f32' | 'i32'): Values {
  const shape = broadcastShapes(a.shape, b.shape);
  const data = new Float64Array(shape.reduce((size, extent) => size * extent, 1));
  eachIndex(shape, (index, position) => {
    data[position] = f(a.data[broadcastPosition(index, a.shape)]!, b.data[broadcastPosition(index, b.shape)]!);
  });
  return { shape, dtype, data };
}
