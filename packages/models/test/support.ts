import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type EagerOperations, isLmdError, type NamedTensors, type Tensor } from '@lmd/core';

/** Operations of the reference backend in float64 or float32, and a reader that does not round. */
export function reference(storage: 'f32' | 'f64'): { ops: EagerOperations; read: (x: Tensor) => Float64Array } {
  const backend = createReferenceBackend({ storage });
  return { ops: createOperations(backend), read: (x) => backend.readFloat64(x) };
}

export const key = { seed: 1, step: 2, sample: 3 };

/** Standard normals named by an integer, as a tensor. */
export function randomTensor(ops: EagerOperations, shape: readonly number[], stream: number): Tensor {
  return ops.randomNormal(shape, { ...key, stream });
}

export function arraysOf(
  weights: NamedTensors,
  read: (x: Tensor) => Float64Array,
): { [name: string]: { shape: readonly number[]; values: Float64Array } } {
  return Object.fromEntries(Object.entries(weights).map(([name, x]) => [name, { shape: x.shape, values: read(x) }]));
}

/** The error that `action` throws; anything but an `LmdError` fails the test. */
export function errorOf(action: () => unknown): { code: string; subject: string | undefined; message: string } {
  try {
    action();
  } catch (error) {
    if (isLmdError(error)) return { code: error.code, subject: error.subject, message: error.message };
    throw error;
  }
  return { code: 'no error', subject: undefined, message: '' };
}
