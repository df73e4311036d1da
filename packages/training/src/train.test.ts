import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, lmd, type Optimizer } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, outcome } from '../test/small-run.js';
import { moons, tinyMlp } from '../test/tiny-mlp.js';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoints/checkpoint-format.js';
import type { StartEvent, TrainingEvent } from './events.js';
import { eventListener, type Plugin, train, weightAveraging } from './index.js';

const optimizers: { readonly [name: string]: () => Optimizer } = {
  adamw: () => adamw({ learningRate: 0.05 }),
  lmd: () => lmd({ learningRate: 0.02, samples: 2 }),
};

describe('train', () => {
  it.each(Object.keys(optimizers))('learns with %s', async (name) => {
    const losses: number[] = [];
    const { result } = await outcome({
      ...base(),
      optimizer: optimizers[name]!(),
      steps: 150,
      data: { train: moons(40), validation: moons(40), test: moons(20) },
      plugins: [eventListener((event) => void (event.type === 'step' && losses.push(event.loss)))],
    });
    expect(losses.length).toBe(150);
    expect(result.validation!.accuracy).toBeGreaterThan(0.8);
    expect(result.test!.examples).toBe(20);
    expect(result.status).toBe('finished');
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(losses.slice(-20))).toBeLessThan(0.7 * mean(losses.slice(0, 5)));
  });

  it('is a function of its options: equal runs are equal to the bit, and another seed is another run', async () => {
    const first = await outcome(base());
    expect((await outcome(base())).tensors).toEqual(first.tensors);
    expect((await outcome({ ...base(), seed: 2 })).tensors).not.toEqual(first.tensors);
  });

  describe.each(Object.keys(optimizers))('resumed with %s', (name) => {
    // 5 batches an epoch: 6 of 12 steps end in the middle of the second.
    it('N steps, save, load, N steps give the bits of 2N steps, also within an epoch', async () => {
      const options = () => ({ ...base(), optimizer: optimizers[name]!(), plugins: [weightAveraging({ decay: 0.5 })] });
      const whole = await outcome({ ...options(), steps: 12 });
      const saver = keepSnapshots();
      await outcome({ ...options(), steps: 6, plugins: [saver, ...options().plugins] });
      const checkpoint = await decodeCheckpoint(await encodeCheckpoint(saver.last));
      expect(checkpoint.step).toBe(6);
      const resumed = await outcome({ ...options(), steps: 12, resume: { checkpoint } });
      expect(resumed.tensors).toEqual(whole.tensors);
      expect(resumed.result.loss).toBe(whole.result.loss);
    });
  });

  it('accumulates micro-batches to the gradient of the whole batch', async () => {
    const options = () => ({ ...base(), model: tinyMlp(), steps: 3 });
    const whole = await outcome(options());
    // 8 = 3 + 3 + 2: the last micro-batch weighs less.
    const parts = await outcome({ ...options(), microBatchSize: 3 });
    for (const [name, { data }] of Object.entries(whole.tensors)) {
      data.forEach((value, index) => {
        expect(parts.tensors[name]!.data[index]).toBeCloseTo(value, 5);
      });
    }
  });

  it('holds as much after 300 steps as after 10', async () => {
    for (const optimizer of Object.values(optimizers)) {
      const backend = createReferenceBackend();
      const held: { tensors: number; bytes: number }[] = [];
      const ops = createOperations(backend);
      const peaks: number[] = [];
      const result = await train({
        ...base(),
        backend: undefined,
        ops,
        optimizer: optimizer(),
        microBatchSize: 4,
        steps: 300,
        evaluateEvery: 10,
        data: { train: moons(40), validation: moons(8) },
        plugins: [
          weightAveraging(),
          eventListener(({ type }, { step }) => {
            if (type !== 'settle' || (step !== 10 && step !== 300)) return;
            held.push(backend.memory());
            peaks.push(ops.memory().peakBytes);
          }),
        ],
      });
      expect(held.length).toBe(2);
      expect(held[1]).toEqual(held[0]);
      expect(peaks[1]).toBe(peaks[0]);
      result.dispose();
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    }
  });

  it('tells plugins in order, and in the order of the step', async () => {
    const seen: string[] = [];
    const listen = (name: string) =>
      eventListener((event: TrainingEvent) => {
        seen.push(`${name}:${event.type}${'step' in event ? event.step : ''}`);
      }, name);
    await outcome({
      ...base(),
      steps: 2,
      evaluateEvery: 2,
      data: { train: moons(40), validation: moons(8), test: moons(8) },
      plugins: [listen('a'), listen('b')],
    });
    expect(seen.filter((entry) => entry.startsWith('a'))).toEqual([
      'a:start',
      'a:step1',
      'a:settle1',
      'a:step2',
      'a:evaluation2',
      'a:settle2',
      'a:evaluation2',
      'a:end2',
    ]);
    for (let index = 0; index < seen.length; index += 2) {
      expect(seen[index + 1]).toBe(seen[index]!.replace('a:', 'b:'));
    }
  });

  it("evaluates by a schedule of one's own, and after the last step", async () => {
    const evaluated: number[] = [];
    let start: StartEvent | undefined;
    await outcome({
      ...base(),
      steps: 11,
      evaluateEvery: (step) => Number.isInteger(Math.log2(step)),
      data: { train: moons(40), validation: moons(8) },
      plugins: [
        eventListener((event) => {
          if (event.type === 'evaluation') evaluated.push(event.step);
          if (event.type === 'start') start = event;
        }),
      ],
    });
    expect(evaluated).toEqual([1, 2, 4, 8, 11]);
    // AdamW: the weight and two moments, in f32.
    expect([start!.parameters, start!.stateBytes]).toEqual([42, 42 * 12]);
  });

  it('counts epochs, and keeps the partial batch when asked', async () => {
    const positions: string[] = [];
    await outcome({
      ...base(),
      data: { train: moons(20) },
      steps: undefined,
      epochs: 2,
      keepPartialBatch: true,
      plugins: [
        eventListener((e) => void (e.type === 'step' && positions.push(`${e.epoch}.${e.position}:${e.samples}`))),
      ],
    });
    expect(positions).toEqual(['0.0:8', '0.1:8', '0.2:4', '1.0:8', '1.1:8', '1.2:4']);
  });

  it('makes the same bits however many batches are asked for ahead', async () => {
    const whole = await outcome({ ...base(), prefetch: 0 });
    for (const prefetch of [1, 3, 100]) {
      expect((await outcome({ ...base(), prefetch })).tensors).toEqual(whole.tensors);
    }
  });

  it('ends after the step when the signal aborts, lets plugins save, and goes on to the same bits', async () => {
    const whole = await outcome(base());
    const controller = new AbortController();
    const saver = keepSnapshots();
    const endings: (string | undefined)[] = [];
    const { result } = await outcome({
      ...base(),
      signal: controller.signal,
      plugins: [
        {
          name: 'abort',
          step: ({ step }) => step === 3 && controller.abort(),
          settle: ({ ending }) => void endings.push(ending),
        } as Plugin,
        saver,
      ],
    });
    expect([result.status, result.step, result.test]).toEqual(['interrupted', 3, undefined]);
    expect(endings).toEqual([undefined, undefined, 'interrupted']);
    const resumed = await outcome({ ...base(), resume: { checkpoint: saver.last } });
    expect(resumed.tensors).toEqual(whole.tensors);
  });

  it('stops in the middle of the test when the signal aborts, and makes it when resumed', async () => {
    const controller = new AbortController();
    const saver = keepSnapshots();
    const test = moons(40);
    const interrupting = {
      ...test,
      batch(indices: Int32Array) {
        controller.abort();
        return test.batch(indices);
      },
    };
    const options = { ...base(), plugins: [saver] };
    const stopped = await train({
      ...options,
      data: { ...options.data, test: interrupting },
      signal: controller.signal,
    });
    expect(stopped).toMatchObject({ status: 'interrupted', step: 6 });
    expect(stopped.test).toBeUndefined();
    stopped.dispose();
    const resumed = await train({ ...options, data: { ...options.data, test }, resume: { checkpoint: saver.last } });
    expect(resumed).toMatchObject({ status: 'finished', step: 6, test: { examples: 40 } });
    resumed.dispose();
  });

  it('lets timers and signals run while a synchronous backend computes', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const { result } = await outcome({ ...base(), steps: 1_000_000, signal: controller.signal });
    expect(result.status).toBe('interrupted');
  });

  it('warns when it goes on from another backend or version', async () => {
    const saver = keepSnapshots();
    await outcome({ ...base(), steps: 3, plugins: [saver] });
    const versions = { training: '0.0.1', backend: 'abacus', device: 'wood' };
    const messages: string[] = [];
    await outcome({
      ...base(),
      resume: { checkpoint: { ...saver.last, versions } },
      plugins: [{ name: 'listen', warning: ({ message }) => void messages.push(message) }],
    });
    expect(messages.length).toBe(2);
    expect(messages[0]).toMatch(/written on backend abacus, but the run resumes with reference/);
    expect(messages[1]).toMatch(/written by @lmd\/training 0\.0\.1/);
  });

  it('evaluates and returns again what a run resumed after its last step had', async () => {
    const data = { train: moons(40), validation: moons(8), test: moons(8) };
    const saver = keepSnapshots();
    const whole = await outcome({ ...base(), data, plugins: [saver] });
    const again = await outcome({ ...base(), data, resume: { checkpoint: saver.last } });
    expect(again.tensors).toEqual(whole.tensors);
    expect(again.result.validation).toEqual(whole.result.validation);
    expect(again.result.test).toEqual(whole.result.test);
    expect(again.result.loss).toBe(whole.result.loss);
  });
});
