/** `f32`: binary32. `i32`: indices, labels and random bits. `u8`: packed codes. */
export type DType = 'f32' | 'i32' | 'u8';

/**
 * An opaque, immutable handle to an n-dimensional array in row-major order. Only the backend that created it can use
 * it. A backend may add its own fields, which no other code uses.
 */
export interface Tensor<Type extends DType = DType> {
  readonly shape: readonly number[];
  readonly dtype: Type;
}

/** A tensor of static dtype f32, the argument of almost every kernel. */
export type FloatTensor = Tensor<'f32'>;

/** A tensor of static dtype i32: indices, labels, truth values and random bits. */
export type IntegerTensor = Tensor<'i32'>;

export type TensorData = Float32Array | Int32Array | Uint8Array;

/**
 * Tensors by name: weights, gradients, optimizer state. The key order is the order of creation and carries no meaning.
 */
export type NamedTensors = { readonly [name: string]: Tensor };

/** Number of elements of a shape; 1 for a scalar's `[]`. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Bytes of one element. */
export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1 };

/** The typed arrays of the language, by the name of their class. */
interface TypedArrays {
  readonly Float32Array: Float32Array;
  readonly Float64Array: Float64Array;
  readonly Int8Array: Int8Array;
  readonly Int16Array: Int16Array;
  readonly Int32Array: Int32Array;
  readonly Uint8Array: Uint8Array;
  readonly Uint8ClampedArray: Uint8ClampedArray;
  readonly Uint16Array: Uint16Array;
  readonly Uint32Array: Uint32Array;
  readonly BigInt64Array: BigInt64Array;
  readonly BigUint64Array: BigUint64Array;
}

export type TypedArrayName = keyof TypedArrays;

/**
 * `%TypedArray%.prototype[@@toStringTag]`, a getter that reads an internal slot: it knows the arrays of every realm,
 * and no others.
 */
const readTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
  .get as (this: unknown) => string | undefined;

/**
 * The class of a typed array, undefined for anything else. Unlike `instanceof` it also knows the arrays of another
 * realm (a `vm` context, a test environment, a frame); a subclass such as Node's `Buffer` counts as what it extends.
 */
export function typedArrayName(value: unknown): TypedArrayName | undefined {
  return readTag.call(value) as TypedArrayName | undefined;
}

/** Whether `value` is a typed array of that class, of any realm. */
export function isTypedArray<Name extends TypedArrayName>(value: unknown, name: Name): value is TypedArrays[Name] {
  return readTag.call(value) === name;
}

const dataClasses = { Float32Array, Float64Array, Int32Array, Uint8Array } as const;

/**
 * A typed array that can hold tensor data (Float32Array, Float64Array, Int32Array or Uint8Array) as a plain one of this
 * realm, on the same memory; undefined for anything else. Engines tell arrays apart with `instanceof`, and the `slice`
 * of a `Buffer` is no copy.
 */
export function tensorDataOf(value: unknown): TensorData | Float64Array | undefined {
  const name = typedArrayName(value);
  if (name === undefined || !Object.hasOwn(dataClasses, name)) return undefined;
  const Own = dataClasses[name as keyof typeof dataClasses];
  const data = value as Float32Array<ArrayBuffer>;
  return Object.getPrototypeOf(data) === Own.prototype ? data : new Own(data.buffer, data.byteOffset, data.length);
}
