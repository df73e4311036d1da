import { createReferenceBackend } from '@lmd/backends/reference';
import { streamOf } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, outcome, rejection } from '../test/small-run.js';
import { moons, tinyMlp } from '../test/tiny-mlp.js';
import { eventListener, type LossFunction, lossOf, train } from './index.js';

const model = tinyMlp(2, 8, 2, 0.1);

// Denoising: restore the inputs from a noisy copy.
const denoising: LossFunction = (ops, weights, { inputs }, context) => {
  const noise = ops.randomNormal(inputs.shape, { ...context.key, stream: streamOf('noise') });
  const restored = model.forward(ops, weights, ops.add(inputs, noise), context);
  const difference = ops.subtract(restored, inputs);
  return ops.mean(ops.multiply(difference, difference));
};

const crossEntropy: LossFunction = (ops, weights, { inputs, labels }, context) =>
  lossOf(ops, model.forward(ops, weights, inputs, context), labels);

const run = (options: object) => ({ ...base(), model, backend: createReferenceBackend(), ...options });

describe('a custom loss', () => {
  it('gives the same bits as the default if it is the same function', async () => {
    const [own, usual] = [await outcome(run({ loss: crossEntropy })), await outcome(run({}))];
    expect(own.tensors).toEqual(usual.tensors);
    expect(own.result.loss).toBe(usual.result.loss);
  });

  it('is averaged over micro-batches', async () => {
    const plain = tinyMlp(2, 8, 2);
    const loss: LossFunction = (ops, weights, { inputs, labels }, context) =>
      lossOf(ops, plain.forward(ops, weights, inputs, context), labels);
    const whole = await outcome(run({ model: plain, loss, steps: 1 }));
    const parts = await outcome(run({ model: plain, loss, steps: 1, microBatchSize: 3 }));
    expect(parts.result.loss).toBeCloseTo(whole.result.loss!, 6);
  });

  it('is minimized, with noise that differs from step to step', async () => {
    const losses: number[] = [];
    const plugins = [eventListener((event) => void (event.type === 'step' && losses.push(event.loss)))];
    (await train(run({ loss: denoising, steps: 150, plugins }))).dispose();
    const mean = (part: readonly number[]) => part.reduce((a, b) => a + b) / part.length;
    expect(mean(losses.slice(-30))).toBeLessThan(0.8 * mean(losses.slice(0, 30)));
    expect(new Set(losses).size).toBe(losses.length);
  });

  it.each([false, true])('resumes bit-identically, updateInPlace %s', async (updateInPlace) => {
    const options = () => run({ loss: denoising, updateInPlace });
    const straight = await outcome(options());
    const stop = new AbortController();
    const saver = keepSnapshots();
    const abort = eventListener((event) => void (event.type === 'step' && event.step === 3 && stop.abort()));
    await outcome({ ...options(), plugins: [saver, abort], signal: stop.signal });
    expect(saver.last.step).toBe(3);
    const resumed = await outcome({ ...options(), resume: { checkpoint: saver.last } });
    expect(resumed.tensors).toEqual(straight.tensors);
    expect(await rejection(train({ ...options(), loss: undefined, resume: { checkpoint: saver.last } }))).toMatchObject(
      {
        code: 'CHECKPOINT_MISMATCH',
        subject: 'loss',
      },
    );
  });

  it.each([
    ['validation data', { data: { train: moons(40), validation: moons(8) } }, 'data.validation'],
    ['test data', { data: { train: moons(40), test: moons(8) } }, 'data.test'],
  ])('refuses %s', async (_, options, subject) => {
    const error = await rejection(train(run({ loss: denoising, ...options })));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', subject });
  });

  it('refuses what is no function and what is no scalar', async () => {
    expect(await rejection(train(run({ loss: 'mse' })))).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'loss' });
    const rows: LossFunction = (ops, weights, { inputs }, context) =>
      ops.mean(model.forward(ops, weights, inputs, context), { axes: 1 });
    expect(await rejection(train(run({ loss: rows })))).toMatchObject({ code: 'SHAPE_MISMATCH' });
  });
});
