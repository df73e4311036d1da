import { type DType, typedArrayName } from '@lmd/core';

interface ArrayOf {
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
}

const arrays = { f32: Float32Array, i32: Int32Array, u8: Uint8Array } as const;

/**
 * The dtype that represents the values of each kind of array; i32 for all integers, including bytes. Arrays of BigInt
 * are not included.
 */
const dtypes: { readonly [kind: string]: 'f32' | 'i32' } = {
  Float16Array: 'f32',
  Float32Array: 'f32',
  Float64Array: 'f32',
  Int8Array: 'i32',
  Int16Array: 'i32',
  Int32Array: 'i32',
  Uint8Array: 'i32',
  Uint8ClampedArray: 'i32',
  Uint16Array: 'i32',
  Uint32Array: 'i32',
};

/**
 * The default dtype of an array: an array of numbers is f32, as in `fromData`. Undefined if it does not contain
 * numbers.
 */
export function dtypeOf(values: unknown): 'f32' | 'i32' | undefined {
  const kind = typedArrayName(values);
  if (kind === undefined) return Array.isArray(values) ? 'f32' : undefined;
  return Object.hasOwn(dtypes, kind) ? dtypes[kind] : undefined;
}

/**
 * The values in the typed array of the dtype: the array itself if it has that type, otherwise a copy. f32 rounds like
 * `Math.fround`.
 *
 * @param refuse throws an error for the first value that the dtype cannot represent: not a number, a fraction or out of
 * range for integers, or a number above the largest of f32.
 */
export function toHostArray<D extends DType>(
  values: ArrayLike<unknown>,
  dtype: D,
  refuse: (value: unknown, index: number) => never,
): ArrayOf[D] {
  const Kind = arrays[dtype];
  if (values instanceof Kind) return values as unknown as ArrayOf[D];
  const result = new Kind(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value !== 'number') return refuse(value, index);
    result[index] = value;
    const kept = dtype === 'f32' ? Number.isFinite(result[index]) || !Number.isFinite(value) : result[index] === value;
    if (!kept) return refuse(value, index);
  }
  return result as unknown as ArrayOf[D];
}
