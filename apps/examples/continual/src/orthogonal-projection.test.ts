import { createReferenceBackend } from '@lmd/backends/reference';
import { optimizerConformance } from '@lmd/conformance';
import { adamw, createOperations, type EagerOperations, lmd, type Optimizer, sgd, type Tensor } from '@lmd/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { orthogonalProjection } from './index.js';

/** Half of the inputs of each matrix. */
const capacity = (_: string, shape: readonly number[]) => (shape.length === 2 ? Math.ceil(shape[0]! / 2) : 0);

const rules = {
  adamw: { create: adamw, learningRate: 0.03 },
  lmd: {
    create: (options: object) => lmd({ priorMedianFloor: 0.5, regularization: 0.05, noise: 0.02, ...options }),
    learningRate: 0.05,
  },
} as const;

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
      create: (options) => orthogonalProjection(create(options), { capacity, project }),
      createOperations: () => createOperations(createReferenceBackend()),
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

/** The largest change of x·W by 20 steps after x is protected, and by how much W moved at most. */
async function changes(inner: Optimizer, project: 'gradients' | 'weights') {
  const optimizer = orthogonalProjection(inner, { capacity: () => 4, project });
  const x = earlier();
  let state = await optimizer.init(ops, { w: normal([6, 3], 3) });
  state = await optimizer.protect(ops, state, { w: x }, () => ({ rows: 2, batchSize: 200, steps: 500 }));
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
    const optimizer = orthogonalProjection(sgd({ learningRate: 1, momentum: 0 }), { capacity: () => 4 });
    const w = ops.zeros([6, 3]);
    const fresh = await optimizer.init(ops, { w });
    const x = earlier();
    const state = await optimizer.protect(ops, fresh, { w: x }, () => ({ rows: 2, batchSize: 200, steps: 500 }));
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

  it('protects later inputs beside earlier ones, and leaves no tensor behind', async () => {
    const optimizer = orthogonalProjection(adamw(), { capacity: () => 4, project: 'weights' });
    const w = normal([6, 3], 3);
    const x = earlier();
    const before = ops.memory().tensors;
    const states = [await optimizer.init(ops, { w })];
    for (const task of [0, 1]) {
      const inputs = task === 0 ? x : normal([200, 6], 7);
      states.push(
        await optimizer.protect(ops, states.at(-1)!, { w: inputs }, () => ({ rows: 2, steps: 20, batchSize: 64 })),
      );
      if (task === 1) ops.dispose(inputs);
    }
    const rows = await read(ops.scope(() => ops.sum(ops.absolute(states.at(-1)!.tensors['w/subspace']!), { axes: 1 })));
    expect(rows.every((sum) => sum > 0)).toBe(true);
    const first = await read(states[1]!.tensors['w/subspace']!);
    expect((await read(states[2]!.tensors['w/subspace']!)).slice(0, 12)).toEqual(first.slice(0, 12));
    await expect(optimizer.protect(ops, states[2]!, { w: x }, () => ({ rows: 1 }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/rows is 1, but "w" has 0 of 4 left/),
    });
    for (const { tensors } of states) ops.dispose(tensors);
    // The sums of the rows are left.
    expect(ops.memory().tensors).toBe(before + 1);
  });

  it.each([
    ['a subspace larger than the layer', 7],
    ['a fraction of a direction', 1.5],
    ['a negative capacity', -1],
  ])('refuses %s', async (_, rows) => {
    const optimizer = orthogonalProjection(adamw(), { capacity: () => rows });
    await expect(optimizer.init(ops, { w: normal([6, 3], 3) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`capacity is ${rows} for "w" of shape [6,3]`),
    });
  });

  it('refuses a capacity for a vector, inputs of a weight without one, and a missing function', async () => {
    const of = (own: () => number) => orthogonalProjection(adamw(), { capacity: own });
    await expect(of(() => 2).init(ops, { b: ops.zeros([6]) })).rejects.toThrow(/capacity is 2 for "b" of shape \[6\]/);
    const none = of(() => 0);
    const state = await none.init(ops, { w: normal([6, 3], 3) });
    await expect(none.protect(ops, state, { w: earlier() }, () => ({ rows: 1 }))).rejects.toThrow(
      /"w" has 0 of 0 left/,
    );
    expect(() => orthogonalProjection(adamw(), {} as never)).toThrow(/capacity is missing/);
  });
});
