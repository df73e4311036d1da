import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, isLmdError, type Model } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, outcome, rejection, signDescent } from '../test/small-run.js';
import { f32, moons, tinyMlp } from '../test/tiny-mlp.js';
import type { Checkpoint } from './checkpoints/checkpoint.js';
import { checkedBatch } from './data/check-batch.js';
import { train } from './index.js';
import { findNonFinite } from './non-finite.js';
import { enqueueStep } from './step.js';

describe('NON_FINITE', () => {
  /** The tiny network, spoilt from a given step on. */
  const spoilt = (spoil: Partial<Model>): Model => ({ ...tinyMlp(), ...spoil });
  const failed = async (options: object) => {
    const backend = createReferenceBackend();
    const saver = keepSnapshots();
    const error = await rejection(train({ ...base(), backend, plugins: [saver], ...options }));
    expect(isLmdError(error) ? error.code : error).toBe('NON_FINITE');
    expect(backend.memory().tensors).toBe(0);
    return { error: error as Error, saved: saver.last as Checkpoint | undefined };
  };

  it('names the loss', async () => {
    const { error, saved } = await failed({
      model: spoilt({
        forward: (ops, weights, x, context) => {
          const logits = tinyMlp().forward(ops, weights, x, context);
          return context.key.step < 3 ? logits : ops.multiply(logits, Number.NaN);
        },
      }),
    });
    expect(error.message).toMatch(/In step 4, loss is NaN at element 0.*No checkpoint was written/);
    expect(saved!.step).toBe(3);
  });

  it('names the first gradient in the order of the weights', async () => {
    const { error } = await failed({
      model: spoilt({
        forward: (ops, weights, x, context) =>
          ops.customGradient([tinyMlp().forward(ops, weights, x, context)], {
            forward: (plain, [logits]) => plain.reshape(logits!, logits!.shape),
            backward: (plain, dy) => [plain.multiply(dy, context.key.step < 2 ? 1 : Number.POSITIVE_INFINITY)],
          }),
      }),
    });
    expect(error.message).toMatch(/In step 3, gradient of hidden\.weight is (NaN|-?Infinity)/);
  });

  it('names the updated state, and keeps the good one', async () => {
    const { error, saved } = await failed({ optimizer: adamw({ learningRate: (step) => (step < 2 ? 0.01 : 3e38) }) });
    expect(error.message).toMatch(/In step 3, updated state hidden\.weight\/weight is -?Infinity/);
    for (const { data } of Object.values(saved!.tensors))
      expect(data.every((value) => Number.isFinite(value))).toBe(true);
  });

  it('names the inputs', async () => {
    const data = moons(40);
    const { error } = await failed({
      data: {
        train: {
          ...data,
          batch: (indices: Int32Array) => {
            const batch = data.batch(indices) as { inputs: { data: Float32Array } };
            batch.inputs.data[5] = Number.NaN;
            return batch;
          },
        },
      },
    });
    expect(error.message).toMatch(/In step 1, inputs is NaN at element 5/);
  });

  it('lets finite gradients be whose sum overflows', async () => {
    const bias = { 'head.bias': { shape: [2] } };
    const huge: Model = {
      name: 'huge',
      parameters: bias,
      initialize: (ops) => ({ 'head.bias': ops.zeros([2]) }),
      forward: (ops, weights, x) =>
        ops.customGradient([ops.broadcastTo(weights['head.bias']!, [x.shape[0]!, 2])], {
          forward: (plain, [logits]) => plain.reshape(logits!, logits!.shape),
          backward: (plain, dy) => [plain.full(dy.shape, 3e38 / 8)],
        }),
    };
    const ops = createOperations(createReferenceBackend());
    const optimizer = signDescent();
    const state = await optimizer.init(ops, huge.initialize(ops, 0));
    const context = { ops, model: huge, optimizer, precision: f32, seed: 0, microBatchSize: 8 };
    const indices = Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const batch = checkedBatch(moons(8), indices, await moons(8).batch(indices));
    const [loss, finite] = await ops.read(enqueueStep(context, state, batch).report);
    expect([Number.isFinite(loss), finite]).toEqual([true, Number.POSITIVE_INFINITY]);
    expect(await findNonFinite(context, state, batch)).toBeUndefined();
    const { result } = await outcome({ ...base(), model: huge, optimizer });
    expect(result.status).toBe('finished');
  });
});
