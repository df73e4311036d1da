/** `f32`: binary32. `i32`: indices, labels and random bits. `u8`: packed codes. */
export type DType = 'f32' | 'i32' | 'u8';

/**
 * An opaque, immutable handle to an n-dimensional array, row-major, that a backend made and only that backend understands.
 * A backend may add fields of its own; nobody else looks at them.
 */
export interface Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export type TensorData = Float32Array | Int32Array | Uint8Array;

/** Tensors by name: weights, gradients, optimizer state. The key order is the order of creation and carries no meaning. */
export type NamedTensors = { readonly [name: string]: Tensor };

/** Number of elements of a shape; 1 for a scalar's `[]`. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Bytes of one element. */
export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1 };
