import type { RecordedResult } from '@lmd/cli/experiment';
import { describe, expect, it } from 'vitest';
import { meanSignal } from './product-measures.js';
import { signalAt, signalByLoss } from './signal-section.js';

const product = (name: string, signalToNoise: number) => ({
  product: name,
  kurtosisFirst: 3,
  kurtosisSecond: 3,
  formats: { mxfp4_e2m1: { signalToNoise, clippedFirst: 0, clippedSecond: 0 } },
});

const measured = (step: number, ...values: readonly number[]) => ({
  step,
  products: values.map((value, index) => product(index === 0 ? 'blocks.0.attention.scores' : 'head', value)),
});

describe('the signal-to-noise ratio at equal loss', () => {
  const run = {
    curve: [
      [50, 2],
      [100, 1],
      [150, 0.5],
    ],
    measures: [measured(40, 99, 20), measured(100, 99, 22), measured(150, 99, 21)],
  } as unknown as RecordedResult;

  it('averages the products of activations and weights', () => {
    expect(meanSignal(measured(1, 5, 10, 20), 'mxfp4_e2m1')).toBe(15);
    expect(meanSignal(measured(1, 5, 10), 'mxint8')).toBeUndefined();
    expect(meanSignal(undefined, 'mxfp4_e2m1')).toBeUndefined();
  });

  it('takes the loss of the stretch that a measurement falls in', () => {
    expect(signalByLoss(run, 'mxfp4_e2m1')).toEqual([
      { loss: 2, signal: 20 },
      { loss: 1, signal: 22 },
      { loss: 0.5, signal: 21 },
    ]);
  });

  it('interpolates where a run first passes a loss, and not beyond', () => {
    const points = signalByLoss(run, 'mxfp4_e2m1');
    expect([2, 1.5, 1, 0.75, 0.5].map((loss) => signalAt(points, loss))).toEqual([20, 21, 22, 21.5, 21]);
    expect(signalAt(points, 2.1)).toBeUndefined();
    expect(signalAt(points, 0.4)).toBeUndefined();
    expect(signalAt([], 1)).toBeUndefined();
  });
});
