import { arrayKind } from './array-kind.js';
import { byteLengthOf, checkDtype, type SafetensorsDtype } from './dtypes.js';
import { SafetensorsError, show } from './errors.js';
import type { SafetensorsTensor } from './parse.js';

export type SafetensorsArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

type ArrayConstructor = new (buffer: ArrayBuffer) => SafetensorsArray;

const constructors: Readonly<Record<SafetensorsDtype, ArrayConstructor>> = {
  BOOL: Uint8Array,
  F4: Uint8Array,
  F6_E2M3: Uint8Array,
  F6_E3M2: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  F8_E5M2: Uint8Array,
  F8_E4M3: Uint8Array,
  F8_E8M0: Uint8Array,
  F8_E4M3FNUZ: Uint8Array,
  F8_E5M2FNUZ: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  C64: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
};

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * A copy of a tensor's values as the typed array of its dtype: `F32` as Float32Array, `I64` as BigInt64Array and so on.
 * Types without a typed array are returned as bits: `F16` and `BF16` as Uint16Array, 8-bit types as Uint8Array, and
 * packed 4- and 6-bit types as bytes. `C64` is returned as pairs of real and imaginary parts in a Float32Array.
 *
 * Always a copy, since the bytes of a tensor may be unaligned for a wider typed array.
 */
export function toTypedArray(tensor: SafetensorsTensor): SafetensorsArray {
  checkBytes(tensor);
  // Not slice(): a Node Buffer is a Uint8Array whose slice does not copy.
  const bytes = new Uint8Array(tensor.data);
  const Kind = constructors[tensor.dtype];
  const array = new Kind(bytes.buffer);
  if (!littleEndian) reverseElements(bytes, array.BYTES_PER_ELEMENT);
  return array;
}

/** A copy of the values of an `F32` tensor, or of an `F16` or `BF16` tensor converted without loss. */
export function toFloat32Array(tensor: SafetensorsTensor): Float32Array {
  const array = toTypedArray(tensor);
  if (tensor.dtype === 'F32') return array as Float32Array;
  if (tensor.dtype === 'BF16') return Float32Array.from(array as Uint16Array, bfloat16ToNumber);
  if (tensor.dtype === 'F16') return Float32Array.from(array as Uint16Array, float16ToNumber);
  throw dtypeError(tensor.dtype, 'F32, F16 or BF16');
}

/** A copy of the values of an `F64` tensor. */
export function toFloat64Array(tensor: SafetensorsTensor): Float64Array {
  if (tensor.dtype !== 'F64') throw dtypeError(tensor.dtype, 'F64');
  return toTypedArray(tensor) as Float64Array;
}

/** A copy of the values of an `I32` tensor. */
export function toInt32Array(tensor: SafetensorsTensor): Int32Array {
  if (tensor.dtype !== 'I32') throw dtypeError(tensor.dtype, 'I32');
  return toTypedArray(tensor) as Int32Array;
}

/**
 * Creates a tensor from a typed array, whose type determines the dtype (Float32Array `F32`, Uint8Array `U8` …) unless a
 * dtype with the same array type is given, such as `BF16` for a Uint16Array of bits. The default shape is one axis of
 * all elements. On little-endian machines, the tensor's bytes are a view of the array.
 */
export function tensorFrom(
  array: SafetensorsArray,
  shape?: readonly number[],
  dtype?: SafetensorsDtype,
): SafetensorsTensor {
  const kind = arrayKind(array);
  const natural = naturalDtypes.find(([{ name }]) => name === kind)?.[1];
  if (natural === undefined) {
    throw new SafetensorsError('INVALID_ARGUMENT', `tensorFrom was given ${show(array)}.`, {
      subject: 'array',
      value: array,
      remedy: 'Use a typed array of numbers or big integers.',
    });
  }
  const held = dtype ?? natural;
  checkDtype('dtype', held);
  if (kind !== constructors[held].name) throw dtypeError(held, `one that a ${kind} holds`);
  let data = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (!littleEndian && array.BYTES_PER_ELEMENT > 1) {
    data = data.slice();
    reverseElements(data, array.BYTES_PER_ELEMENT);
  }
  const tensor = { dtype: held, shape: shape ?? [array.length], data };
  checkBytes(tensor);
  return tensor;
}

const naturalDtypes: readonly (readonly [ArrayConstructor, SafetensorsDtype])[] = [
  [Float32Array, 'F32'],
  [Float64Array, 'F64'],
  [Int8Array, 'I8'],
  [Int16Array, 'I16'],
  [Int32Array, 'I32'],
  [BigInt64Array, 'I64'],
  [Uint8Array, 'U8'],
  [Uint16Array, 'U16'],
  [Uint32Array, 'U32'],
  [BigUint64Array, 'U64'],
];

const word = new DataView(new ArrayBuffer(4));

function bfloat16ToNumber(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function checkBytes({ dtype, shape, data }: SafetensorsTensor): void {
  const bytes = byteLengthOf(dtype, shape, 'tensor');
  if (data.length === bytes) return;
  throw new SafetensorsError(
    'SHAPE_INVALID',
    `The data has ${data.length} bytes, but ${dtype} of shape [${shape}] takes ${bytes}.`,
    {
      subject: 'shape',
      value: shape,
      remedy: 'Use exactly the bytes of the elements of the shape.',
    },
  );
}

function reverseElements(bytes: Uint8Array, size: number): void {
  for (let offset = 0; offset < bytes.length; offset += size) bytes.subarray(offset, offset + size).reverse();
}

function dtypeError(dtype: SafetensorsDtype, supported: string): SafetensorsError {
  return new SafetensorsError('DTYPE_MISMATCH', `The tensor is ${dtype}.`, {
    subject: 'dtype',
    value: dtype,
    remedy: `Use ${supported}, or toTypedArray, which supports every dtype.`,
  });
}
