import { createReferenceBackend, type ReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type EagerOperations, type Operations, sizeOf, type Tensor } from '@lmd/core';
import { expect } from 'vitest';
import { valueAndGradients } from '../src/index.js';

/** Operations in float64, and a reader that does not round. */
export function float64(): { ops: EagerOperations; read: (x: Tensor) => Float64Array } {
  const backend: ReferenceBackend = createReferenceBackend({ storage: 'f64' });
  return { ops: createOperations(backend), read: (x) => backend.readFloat64(x) };
}

export type Random = () => number;

/** Mulberry32: test inputs that are the same in every run. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const integerIn = (random: Random, from: number, to: number): number =>
  from + Math.floor(random() * (to - from + 1));

export interface Input {
  readonly shape: readonly number[];
  /** Default uniform in [−2, 2). */
  readonly values?: (random: Random) => number;
}

/**
 * Compares the tape's gradients of sum(f(inputs) · r), r random, with central differences, at every coordinate of every
 * input; and checks that nothing but the value and the gradients is left behind.
 */
export function expectGradients(
  f: (ops: Operations, ...inputs: Tensor[]) => Tensor,
  inputs: readonly Input[],
  seed = 1,
): void {
  const { ops, read } = float64();
  const random = randomFrom(seed);
  const data = inputs.map(({ shape, values = (r: Random) => 4 * r() - 2 }) =>
    Float64Array.from({ length: sizeOf(shape) }, () => values(random)),
  );
  const tensors = (): Record<string, Tensor> =>
    Object.fromEntries(inputs.map(({ shape }, i) => [`x${i}`, ops.fromData(data[i]!, shape)]));
  const call = (o: Operations, named: Readonly<Record<string, Tensor>>) =>
    f(o, ...inputs.map((_, i) => named[`x${i}`]!));

  const projection = ops.scope(() => {
    const { shape } = call(ops, tensors());
    return { shape, values: Float64Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1) };
  });
  const loss = (o: Operations, named: Readonly<Record<string, Tensor>>) =>
    o.sum(o.multiply(call(o, named), o.fromData(projection.values, projection.shape)));
  const valueAt = () => ops.scope(() => read(loss(ops, tensors()))[0]!);

  const weights = tensors();
  const before = ops.memory().tensors;
  const { value, gradients } = valueAndGradients(ops, weights, loss);
  expect(ops.memory().tensors - before, 'the value and one gradient an input').toBe(1 + inputs.length);
  expect(read(value)[0]).toBe(valueAt());

  inputs.forEach(({ shape }, i) => {
    const gradient = gradients[`x${i}`]!;
    expect(gradient.shape).toEqual(shape);
    const actual = read(gradient);
    data[i]!.forEach((x, at) => {
      const step = 1e-5;
      data[i]![at] = x + step;
      const above = valueAt();
      data[i]![at] = x - step;
      const below = valueAt();
      data[i]![at] = x;
      const expected = (above - below) / (2 * step);
      const error = Math.abs(actual[at]! - expected);
      expect(error, `input ${i} at ${at}: tape ${actual[at]}, differences ${expected}`).toBeLessThan(
        1e-7 * (1 + Math.abs(expected)),
      );
    });
  });
  ops.dispose(value);
  ops.dispose(gradients);
  ops.dispose(weights);
  expect(ops.memory().tensors, 'no leak').toBe(0);
}
