import { createReferenceBackend } from '@lmd/backends/reference';
import { optimizerConformance } from '@lmd/conformance';
import { adamw, createOperations, type EagerOperations, lmd, type Optimizer, sgd, type Tensor } from '@lmd/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Directions, hebbianSubspace, orthogonalProjection } from './index.js';

/** A protected direction of each matrix: the last input. */
const lastInput: Directions = (_, shape) =>
  shape.length === 2 ? Float32Array.from({ length: shape[0]! }, (_, i) => (i === shape[0]! - 1 ? 1 : 0)) : undefined;

const rules = {
  adamw: { create: adamw, learningRate: 0.03 },
  lmd: {
    create: (options: object) => lmd({ priorMedianFloor: 0.5, regularization: 0.05, noise: 0.02, ...options }),
    learningRate: 0.05,
  },
} as const;

/** What depends on the protected input stays. */
const remainingLoss = { quadratic: 0.15, logisticRegression: 0.5, matrixFactorization: 0.15, tanhNetwork: 0.05 };

for (const [name, project] of [
  ['adamw', 'gradients'],
  ['lmd', 'gradients'],
  ['lmd', 'weights'],
] as const) {
  const { create, ...settings } = rules[name];
  optimizerConformance(
    { describe, it },
    {
      name: `${name}, projection of ${project}`,
      create: (options) => orthogonalProjection(create(options), { directions: lastInput, project }),
      createOperations: () => createOperations(createReferenceBackend()),
      remainingLoss,
      ...settings,
    },
  );
}

let ops: EagerOperations;
beforeEach(() => {
  ops = createOperations(createReferenceBackend());
});

const normal = (shape: readonly number[], stream: number) =>
  ops.randomNormal(shape, { seed: 5, stream, step: 0, sample: 0 });
const read = async (tensor: Tensor) => [...(await ops.read(tensor))];

/** Inputs of an earlier task in two directions of six. */
const earlier = () => ops.matmul(normal([200, 2], 1), normal([2, 6], 2));

/** The directions of these inputs, for the weight of that shape. */
async function spanOf(x: Tensor): Promise<Directions> {
  const h = await hebbianSubspace(ops, x, { rows: 2, batchSize: 200, steps: 500 });
  const values = (await ops.read(h)) as Float32Array;
  return () => values;
}

/** The largest change of x·W by 20 steps while x is protected, and by how much W moved at most. */
async function changes(inner: Optimizer, project: 'gradients' | 'weights') {
  const x = earlier();
  const optimizer = orthogonalProjection(inner, { directions: await spanOf(x), project });
  let state = await optimizer.init(ops, { w: normal([6, 3], 3) });
  const before = optimizer.weights(ops, state).w!;
  for (let step = 0; step < 20; step += 1) {
    const key = { seed: 1, step, sample: 0 };
    optimizer.draw(ops, state, key);
    state = optimizer.update(ops, state, [{ key, gradients: { w: normal([6, 3], 10 + step) } }]);
  }
  const after = optimizer.weights(ops, state).w!;
  const moved = ops.subtract(after, before);
  const largest = async (tensor: Tensor) => Math.max(...(await read(ops.absolute(tensor))));
  return { outputs: await largest(ops.matmul(x, moved)), weights: await largest(moved) };
}

describe('orthogonalProjection', () => {
  it('removes from a gradient what lies in the protected directions', async () => {
    const x = earlier();
    const rule = sgd({ learningRate: 1, momentum: 0 });
    const optimizer = orthogonalProjection(rule, { directions: await spanOf(x) });
    const state = await optimizer.init(ops, { w: ops.zeros([6, 3]) });
    const key = { seed: 0, step: 0, sample: 0 };
    const along = ops.matmul(x, normal([200, 3], 4), { transposeA: true });
    const moved = async (gradient: Tensor) =>
      Math.max(
        ...(await read(
          ops.absolute(optimizer.update(ops, state, [{ key, gradients: { w: gradient } }]).tensors['w/weight']!),
        )),
      );
    expect((await moved(along)) / Math.max(...(await read(ops.absolute(along))))).toBeLessThan(1e-3);
    expect(await moved(normal([6, 3], 5))).toBeGreaterThan(0.1);
  });

  it.each<[string, () => Optimizer]>([
    ['sgd', () => sgd({ learningRate: 0.05 })],
    ['adamw', () => adamw({ learningRate: 0.05 })],
    ['lmd', () => lmd({ learningRate: 0.05 })],
  ])('keeps the outputs for protected inputs, with %s', async (name, make) => {
    const kept = await changes(make(), 'weights');
    expect(kept.weights).toBeGreaterThan(0.1);
    expect(kept.outputs).toBeLessThan(5e-3);
    const byGradients = await changes(make(), 'gradients');
    // A step of SGD is along its gradients; those of the others are not.
    if (name === 'sgd') expect(byGradients.outputs).toBeLessThan(5e-3);
    else expect(byGradients.outputs).toBeGreaterThan(0.05);
  });

  it('is the optimizer where nothing is protected, and leaves no tensor behind', async () => {
    const w = normal([6, 3], 3);
    const gradient = normal([6, 3], 4);
    const before = ops.memory().tensors;
    const stepWith = async (optimizer: Optimizer) => {
      const state = await optimizer.init(ops, { w });
      const key = { seed: 0, step: 0, sample: 0 };
      ops.dispose(optimizer.draw(ops, state, key));
      const next = optimizer.update(ops, state, [{ key, gradients: { w: gradient } }]);
      const weights = optimizer.weights(ops, next);
      const values = await read(weights.w!);
      const names = Object.keys(next.tensors);
      ops.dispose([...Object.values(state.tensors), ...Object.values(next.tensors), weights.w!]);
      return { values, names };
    };
    const plain = await stepWith(adamw());
    const none = await stepWith(orthogonalProjection(adamw(), { directions: () => undefined, project: 'weights' }));
    expect(none).toEqual(plain);
    const one = await stepWith(orthogonalProjection(adamw(), { directions: lastInput, project: 'weights' }));
    expect(one.names).toEqual([...plain.names, 'w/subspace', 'w/protectedOutputs']);
    // The last row keeps its values, and the others move as without a projection.
    expect(one.values.slice(0, 15)).toEqual(plain.values.slice(0, 15));
    expect(one.values.slice(15)).toEqual((await read(w)).slice(15));
    expect(ops.memory().tensors).toBe(before);
  });

  it.each([
    ['a subspace larger than the layer', [6, 3], 42],
    ['a fraction of a direction', [6, 3], 9],
    ['directions of a vector', [6], 6],
  ])('refuses %s', async (_, shape, values) => {
    const optimizer = orthogonalProjection(adamw(), { directions: () => new Float32Array(values) });
    const before = ops.memory().tensors;
    const w = normal(shape, 3);
    await expect(optimizer.init(ops, { w })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`directions has ${values} values for "w" of shape [${shape}]`),
    });
    ops.dispose(w);
    expect(ops.memory().tensors).toBe(before);
  });

  it('refuses options without the function', () => {
    expect(() => orthogonalProjection(adamw(), {} as never)).toThrow(/directions is missing/);
  });
});
