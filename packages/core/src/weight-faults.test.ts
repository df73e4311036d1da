import { createReferenceBackend } from '@lmd/backends/reference';
import { afterAll, describe, expect, it } from 'vitest';
import { adamw, createOperations, faultyWeights, injectWeightNoise, sgd, type WeightFault } from './index.js';

const backend = createReferenceBackend();
const ops = createOperations(backend);
const key = { seed: 3, step: 5, sample: 0 };
const width = 64;

afterAll(() => backend.close?.());

const matrix = () => Float32Array.from({ length: width * width }, (_, i) => Math.sin(i + 1));

async function changed(fault: WeightFault, sample = 0) {
  const weights = { 'a.weight': ops.fromData(matrix(), [width, width]), 'a.bias': ops.fromData(matrix()) };
  const faulty = faultyWeights(ops, weights, fault, { ...key, sample });
  const read = await Promise.all([ops.read(faulty['a.weight']!), ops.read(faulty['a.bias']!)]);
  ops.dispose(weights);
  ops.dispose(faulty);
  return read;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

describe('faultyWeights', () => {
  it('multiplies by log-normal factors of mean 1 and leaves vectors as they are', async () => {
    const [weight, bias] = await changed({ kind: 'logNormal', amount: 0.4 });
    const factors = [...matrix()].map((value, i) => weight![i]! / value);
    expect(Math.min(...factors)).toBeGreaterThan(0);
    expect(mean(factors)).toBeCloseTo(1, 1);
    const logs = factors.map(Math.log);
    expect(mean(logs)).toBeCloseTo(-0.08, 1);
    expect(deviation(logs)).toBeCloseTo(0.4, 1);
    expect(bias).toEqual(matrix());
  });

  it('adds noise relative to the root mean square, whatever the size of the weight', async () => {
    const [weight] = await changed({ kind: 'additive', amount: 0.5 });
    const noise = [...matrix()].map((value, i) => weight![i]! - value);
    expect(deviation(noise)).toBeCloseTo(0.5 * Math.SQRT1_2, 1);
  });

  it('sets a fraction of the weights to zero and keeps the others', async () => {
    const [weight] = await changed({ kind: 'stuckAtZero', amount: 0.2 });
    const dead = weight!.filter((value) => value === 0).length;
    expect(dead / weight!.length).toBeCloseTo(0.2, 1);
    expect([...matrix()].every((value, i) => weight![i] === 0 || weight![i] === value)).toBe(true);
    expect((await changed({ kind: 'stuckAtZero', amount: 1 }))[0]!.every((value) => value === 0)).toBe(true);
  });

  it('repeats with its key and differs with another', async () => {
    const fault = { kind: 'logNormal', amount: 0.4 } as const;
    expect(await changed(fault)).toEqual(await changed(fault));
    expect((await changed(fault, 1))[0]).not.toEqual((await changed(fault))[0]);
  });

  it('refuses another kind and amounts out of range', () => {
    const with_ = (fault: object) => () => faultyWeights(ops, {}, fault as WeightFault, key);
    expect(with_({ kind: 'drift', amount: 1 })).toThrow(/logNormal, additive, stuckAtZero/);
    expect(with_({ kind: 'stuckAtZero', amount: 1.5 })).toThrow(/amount is 1.5/);
    expect(with_({ kind: 'additive', amount: -1 })).toThrow(/amount is -1/);
  });
});

describe('injectWeightNoise', () => {
  it('draws noisy matrices, and gives the optimizer the gradient of the stored weight', async () => {
    const optimizer = injectWeightNoise(sgd({ learningRate: 1, momentum: 0 }), { weightNoise: 0.3 });
    const start = { w: ops.fromData(matrix(), [width, width]), b: ops.fromData([1, 2]) };
    const before = backend.memory().tensors;
    const state = await optimizer.init(ops, start);
    const { w, b } = optimizer.draw(ops, state, key);
    expect([...(await ops.read(b!))]).toEqual([1, 2]);
    const factors = [...(await ops.read(w!))].map((value, i) => value / matrix()[i]!);
    expect(deviation(factors.map(Math.log))).toBeCloseTo(0.3, 1);
    const gradients = { w: ops.full([width, width], 0.25), b: ops.full([2], 0.25) };
    const next = optimizer.update(ops, state, [{ key, gradients }]);
    const [learned, bias] = [optimizer.weights(ops, next), optimizer.weights(ops, next)];
    const steps = [...(await ops.read(learned.w!))].map((value, i) => (matrix()[i]! - value) / 0.25);
    expect(Math.max(...steps.map((step, i) => Math.abs(step - factors[i]!)))).toBeLessThan(1e-4);
    expect([...(await ops.read(bias.b!))]).toEqual([0.75, 1.75]);
    for (const tensors of [state.tensors, { w: w!, b: b! }, gradients, next.tensors, learned, bias])
      ops.dispose(tensors);
    expect(backend.memory().tensors).toBe(before);
    ops.dispose(start);
  });

  it('is the optimizer itself without noise, and refuses a noise of 0', () => {
    const inner = adamw({});
    expect(injectWeightNoise(inner, {})).toBe(inner);
    expect(() => injectWeightNoise(inner, { weightNoise: 0 })).toThrow(/weightNoise is 0/);
  });
});
