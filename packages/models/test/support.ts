import { valueAndGradients } from '@lmd/autograd';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createReferenceBackend } from '@lmd/backends/reference';
import {
  createOperations,
  type EagerOperations,
  isLmdError,
  type NamedTensors,
  type Operations,
  type Tensor,
} from '@lmd/core';
import { expect } from 'vitest';

/** Operations of the reference backend in float64 or float32, and a reader that does not round. */
export function reference(storage: 'f32' | 'f64'): { ops: EagerOperations; read: (x: Tensor) => Float64Array } {
  const backend = createReferenceBackend({ storage });
  return { ops: createOperations(backend), read: (x) => backend.readFloat64(x) };
}

/** Operations of the cpu backend, which is what most people run on. */
export async function cpu(): Promise<{ ops: EagerOperations; read: (x: Tensor) => Promise<ArrayLike<number>> }> {
  const ops = createOperations(await createCpuBackend({ threads: 1 }));
  return { ops, read: (x) => ops.read(x) };
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

/** Weights far enough from the initial ones that no part of a model is near zero or linear. */
export function stirred(ops: EagerOperations, weights: NamedTensors): NamedTensors {
  return Object.fromEntries(
    Object.entries(weights).map(([name, x], i) => [
      name,
      ops.scope(() => ops.add(x, ops.multiply(randomTensor(ops, x.shape, 100 + i), 0.2))),
    ]),
  );
}

/** Compares the gradients of a loss with central differences, at a few elements of every weight, in float64. */
export function expectFiniteDifferences(
  { ops, read }: ReturnType<typeof reference>,
  weights: NamedTensors,
  loss: (ops: Operations, weights: NamedTensors) => Tensor,
): void {
  const { gradients } = valueAndGradients(ops, weights, loss);
  for (const [name, { shape, values }] of Object.entries(arraysOf(weights, read))) {
    const gradient = read(gradients[name]!);
    for (let sampled = 0; sampled < 3; sampled++) {
      const at = (sampled * 7919 + 13) % values.length;
      const lossAt = (value: number) =>
        ops.scope(() => {
          const moved = values.slice();
          moved[at] = value;
          return read(loss(ops, { ...weights, [name]: ops.fromData(moved, shape) }))[0]!;
        });
      const step = 1e-5;
      const expected = (lossAt(values[at]! + step) - lossAt(values[at]! - step)) / (2 * step);
      expect(Math.abs(gradient[at]! - expected), `${name}[${at}]`).toBeLessThan(1e-8 + 1e-6 * Math.abs(expected));
    }
  }
}
