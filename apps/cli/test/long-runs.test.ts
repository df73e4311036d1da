import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SummaryEvent } from '../src/run/events.js';
import { lmd, sha256, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const train = (out: string, ...changes: string[]) =>
  lmd(['train', ...tiny, ...changes, '--only', 'lmd', '--json', '--out', out], folder);
const resultOf = (events: readonly { readonly type: string }[]) => (events.at(-1) as SummaryEvent).results[0]!;
const model = (out: string) => sha256(join(folder, out, 'model.safetensors'));

describe('what long runs need', () => {
  beforeAll(async () => {
    expect(await train('plain')).toMatchObject({ code: 0, stderr: '' });
  });

  it('updates in place to the same bits', async () => {
    expect(await train('in-place', 'updateInPlace=true')).toMatchObject({ code: 0, stderr: '' });
    expect(model('in-place')).toBe(model('plain'));
  });

  it('accumulates gradients over micro-batches', async () => {
    const parts = await train('parts', 'microBatchSize=8', 'precision=fp32');
    const whole = await train('whole', 'precision=fp32');
    const losses = [parts, whole].map(({ events }) =>
      events.flatMap((event) => (event.type === 'step' ? [event.loss] : [])),
    );
    expect(losses[0]).toHaveLength(16);
    // The same gradients to rounding; later, signs near 0 have come out differently.
    expect(losses[0]![0]).toBeCloseTo(losses[1]![0]!, 5);
    expect(model('parts')).not.toBe(model('whole'));
  });

  it('evaluates and exports a moving average of the weights, and lmd evaluate too', async () => {
    const averaged = await train('averaged', 'weightAveraging.decay=0.9');
    expect(averaged).toMatchObject({ code: 0, stderr: '' });
    expect(model('averaged')).not.toBe(model('plain'));
    const evaluated = async (...options: string[]) => {
      const { events, stderr } = await lmd(['evaluate', 'averaged', '--json', ...options], folder);
      expect(stderr).toBe('');
      return resultOf(events);
    };
    const { testLoss } = resultOf(averaged.events);
    const usual = await evaluated();
    expect(usual).toMatchObject({ weights: 'average' });
    expect(usual.testLoss).toBeCloseTo(testLoss!, 6);
    const mean = await evaluated('--weights', 'mean');
    expect(mean).toMatchObject({
      weights: 'mean',
      testLoss: resultOf((await lmd(['evaluate', 'plain', '--json'], folder)).events).testLoss,
    });
    const refused = await lmd(['evaluate', 'plain', '--weights', 'average'], folder);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('--weights average is not allowed');
  });

  it('stops early', async () => {
    const stopped = await train(
      'stopped',
      'earlyStopping.patience=1',
      'earlyStopping.minimumImprovement=100',
      'evaluation.every=4',
    );
    expect(stopped).toMatchObject({ code: 0, stderr: '' });
    expect(stopped.events.find(({ type }) => type === 'end')).toMatchObject({ status: 'stopped', step: 8 });
  });

  it.each([
    ['microBatchSize=0', 'microBatchSize'],
    ['weightAveraging.decay=1', 'weightAveraging.decay'],
    ['earlyStopping.patience=0', 'earlyStopping.patience'],
    ['updateInPlace=maybe', 'updateInPlace'],
  ])('refuses %s', async (change, key) => {
    const refused = await train('refused', change);
    expect(refused.code).toBe(2);
    expect(refused.events.at(-1)).toMatchObject({ type: 'error', subject: key });
  });
});
