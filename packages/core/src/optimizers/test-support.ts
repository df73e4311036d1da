import { expect } from 'vitest';
import {
  createOperations,
  type EagerOperations,
  type NamedTensors,
  type OptimizerState,
  type Pass,
  type Tensor,
} from '../index.js';
import { createTestBackend } from '../testing/index.js';

export function testOperations(): EagerOperations {
  return createOperations(createTestBackend());
}

export function tensors(ops: EagerOperations, values: Record<string, readonly number[]>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, ops.fromData(list)]));
}

export async function values(ops: EagerOperations, tensor: Tensor): Promise<number[]> {
  return Array.from(await ops.read(tensor));
}

export async function allValues(ops: EagerOperations, named: NamedTensors): Promise<Record<string, number[]>> {
  const result: Record<string, number[]> = {};
  for (const [name, tensor] of Object.entries(named)) result[name] = await values(ops, tensor);
  return result;
}

export function pass(gradients: NamedTensors, step = 0, sample = 0, seed = 1): Pass {
  return { key: { seed, step, sample }, gradients };
}

/** Every number within `relative` of the expected one, or within `absolute`; NaN only beside NaN. */
export function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  relative = 1e-5,
  absolute = 1e-7,
): void {
  expect(actual.length).toBe(expected.length);
  for (const [index, value] of actual.entries()) {
    const wanted = expected[index]!;
    const message = `element ${index}: ${value}, expected ${wanted}`;
    if (Number.isNaN(wanted)) expect(value, message).toBeNaN();
    else expect(Math.abs(value - wanted), message).toBeLessThanOrEqual(absolute + relative * Math.abs(wanted));
  }
}

/** A copy of a state by way of plain arrays, as a checkpoint makes one. */
export async function reloaded(
  from: EagerOperations,
  state: OptimizerState,
  to: EagerOperations,
): Promise<OptimizerState> {
  const copies: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(state.tensors)) {
    copies[name] = to.fromData(await from.read(tensor), tensor.shape, tensor.dtype);
  }
  return { step: state.step, tensors: copies };
}

/** A small generator for test data, independent of the one under test: a counter, well mixed (murmur3's finalizer). */
export function randomNumbers(seed: number): () => number {
  let counter = Math.imul(seed, 0x9e3779b9);
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let mixed = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
