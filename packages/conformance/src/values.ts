import { type DType, sizeOf } from '@lmd/core';
import type { Random } from './random.js';

/**
 * An array in the suite's own float64 arithmetic. Inputs hold values that the dtype represents exactly; a result also
 * says how large the terms were that made each element, which is what its rounding error is in proportion to.
 */
export interface Values {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: Float64Array;
  /** Size of the terms that each element was made from; |element| when absent. */
  readonly magnitudes?: Float64Array;
  /** How many terms were added into an element. */
  readonly terms?: number;
}

/** `Float64Array.from` with a function takes several times as long. */
function filled(shape: readonly number[], make: (index: number) => number): Float64Array {
  const data = new Float64Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = make(i);
  return data;
}

/** f32 values, each rounded from what `make` gives for the row-major index. */
export function floats(shape: readonly number[], make: (index: number) => number): Values {
  return { shape, dtype: 'f32', data: filled(shape, (i) => Math.fround(make(i))) };
}

export function integers(shape: readonly number[], make: (index: number) => number): Values {
  return { shape, dtype: 'i32', data: filled(shape, (i) => make(i) | 0) };
}

/** f32 values as they stand, cycled through the shape. */
export function repeated(shape: readonly number[], values: readonly number[]): Values {
  return floats(shape, (i) => values[i % values.length]!);
}

export const normals = (random: Random, shape: readonly number[], scale = 1): Values =>
  floats(shape, () => random.normal() * scale);

/** A float64 result, with magnitudes and the number of terms where they matter. */
export function result(
  shape: readonly number[],
  data: Float64Array,
  magnitudes?: Float64Array,
  terms?: number,
  dtype: DType = 'f32',
): Values {
  return {
    shape,
    dtype,
    data,
    ...(magnitudes === undefined ? {} : { magnitudes }),
    ...(terms === undefined ? {} : { terms }),
  };
}

/** A new array from a function of each element. */
export function mapped(x: Values, f: (value: number, index: number) => number, dtype: DType = x.dtype): Values {
  return { shape: x.shape, dtype, data: x.data.map(f) };
}

/** `[2, 3] f32`, for messages. */
export function describeValues(x: Values): string {
  return `[${x.shape.join(', ')}]${x.dtype === 'f32' ? '' : ` ${x.dtype}`}`;
}
