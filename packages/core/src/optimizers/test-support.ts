import { expect } from 'vitest';
import {
  createOperations,
  disposeState,
  type EagerOperations,
  type NamedTensors,
  type Optimizer,
  type OptimizerState,
  type Pass,
  streamOf,
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

/**
 * The state's vectors of the weight `w` after steps with the given gradients, and that nothing but the state was left.
 */
export async function follow(
  rule: Optimizer,
  initial: readonly number[],
  gradients: readonly (readonly number[])[],
  ops = testOperations(),
  shape: readonly number[] = [initial.length],
): Promise<Record<string, number[]>> {
  const before = ops.memory().tensors;
  const weights = { w: ops.fromData(initial, shape) };
  let state = await rule.init(ops, weights);
  ops.dispose(weights);
  for (const [step, gradient] of gradients.entries()) {
    const old = state;
    const given = { w: ops.fromData(gradient, shape) };
    state = rule.update(ops, state, [pass(given, step)]);
    ops.dispose(given);
    disposeState(ops, old);
  }
  expect(state.step).toBe(gradients.length);
  const result = await allValues(ops, state.tensors);
  disposeState(ops, state);
  expect(ops.memory().tensors).toBe(before);
  return Object.fromEntries(Object.entries(result).map(([name, list]) => [name.slice('w/'.length), list]));
}

/** Weights about 1 and gradients of many sizes, the same for every test. */
export function trial(size = 12, steps = 20): { initial: number[]; gradients: number[][] } {
  const random = randomNumbers(7);
  const initial = Array.from({ length: size }, () => random() * 2 - 1);
  const gradients = Array.from({ length: steps }, () => initial.map(() => (random() - 0.5) * 10 ** (3 * random() - 2)));
  return { initial, gradients };
}

/**
 * The standard normals, or uniforms, that a rule draws for the weight `w` at a step; `negative` for those of the second
 * half.
 */
export async function noiseOf(
  kind: 'randomNormal' | 'randomUniform',
  size: number,
  step: number,
  { sample = 0, seed = 1, negative = false } = {},
): Promise<number[]> {
  const ops = testOperations();
  const stream = negative ? ~streamOf('w') >>> 0 : streamOf('w');
  return values(ops, ops[kind]([size], { seed, stream, step, sample }));
}

/** The state after training on the loss whose gradient at w is given, with every draw that the rule makes. */
export async function descend(
  ops: EagerOperations,
  rule: Optimizer,
  initial: Tensor,
  steps: number,
  gradientAt: (w: Tensor) => Tensor,
): Promise<OptimizerState> {
  let state = await rule.init(ops, { w: initial });
  for (let step = 0; step < steps; step++) {
    const old = state;
    state = ops.scope(() => {
      const passes = Array.from({ length: rule.samples }, (_, sample) => {
        const key = { seed: 1, step, sample };
        return { key, gradients: { w: gradientAt(rule.draw(ops, old, key).w!) } };
      });
      return rule.update(ops, old, passes);
    });
    disposeState(ops, old);
  }
  return state;
}

export const meanOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
