import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type Model } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { f32, moons, tinyMlp } from '../test/tiny-mlp.js';
import { calibrationFrom } from './calibration.js';
import { arrayDataset, type EvaluateOptions, evaluate } from './index.js';

/** Gives its inputs as logits, so that a test chooses every probability. */
const identity: Model = { name: 'identity', parameters: {}, initialize: () => ({}), forward: (_, __, x) => x };

function evaluated(logits: number[][], labels: number[], options: Partial<EvaluateOptions> = {}) {
  const classes = logits[0]!.length;
  return evaluate({
    ops: createOperations(createReferenceBackend()),
    model: identity,
    weights: {},
    dataset: arrayDataset({
      name: 'logits',
      inputs: Float32Array.from(logits.flat()),
      inputShape: [classes],
      labels,
      classes,
    }),
    precision: f32,
    batchSize: 3,
    ...options,
  });
}

/** Logits of two classes whose first has the probability p. */
const withProbability = (p: number) => [Math.log(p), Math.log(1 - p)];

describe('evaluate', () => {
  it('refuses what is no operations, no backend or no model, by name', async () => {
    const backend = createReferenceBackend();
    const ops = createOperations(backend);
    const refused = (change: object) => evaluated([[0, 1]], [1], change).then(() => 'taken', String);
    expect(await refused({ ops: backend })).toMatch(/ops is a backend/);
    expect(await refused({ ops: { ...ops, backend: { ...backend, fused: undefined } } })).toMatch(
      /has fused = undefined/,
    );
    expect(await refused({ model: {} })).toMatch(/model without a name lacks/);
  });

  it('gives loss, accuracy and perplexity over all rows, a short last batch included', async () => {
    const probabilities = [0.9, 0.8, 0.3, 0.6];
    const labels = [0, 1, 1, 0];
    const { loss, accuracy, perplexity, examples, calibration } = await evaluated(
      probabilities.map(withProbability),
      labels,
    );
    const expected = -(Math.log(0.9) + Math.log(0.2) + Math.log(0.7) + Math.log(0.6)) / 4;
    expect(loss).toBeCloseTo(expected, 6);
    expect(perplexity).toBeCloseTo(Math.exp(expected), 6);
    expect(accuracy).toBe(0.75);
    expect(examples).toBe(4);
    expect(calibration).toBeUndefined();
  });

  it('has the perplexity of a uniform language model: its vocabulary, over tokens', async () => {
    const ops = createOperations(createReferenceBackend());
    const [length, vocabulary] = [5, 7];
    const result = await evaluate({
      ops,
      model: { ...identity, forward: (o, _, x) => o.zeros([...x.shape, vocabulary]) },
      weights: {},
      dataset: {
        name: 'tokens',
        size: 4,
        inputShape: [length],
        batch: (indices) => ({
          inputs: { data: new Int32Array(indices.length * length), shape: [indices.length, length], dtype: 'i32' },
          labels: { data: new Int32Array(indices.length * length).fill(3), shape: [indices.length, length] },
        }),
      },
      precision: f32,
      batchSize: 3,
      calibrationBins: 10,
    });
    expect(result.perplexity).toBeCloseTo(vocabulary, 5);
    expect(result.calibration!.bins.reduce((sum, { count }) => sum + count, 0)).toBe(4 * length);
  });

  it('gives the expected calibration error, bin by bin', async () => {
    // Confidences 0.95 (right), 0.92 (wrong), 0.65 (right), 0.7 (right), 0.55 (wrong).
    const rows = [0.95, 0.92, 0.65, 0.3, 0.55].map(withProbability);
    const { calibration } = await evaluated(rows, [0, 1, 0, 1, 1], { calibrationBins: 5 });
    const { bins, error, largestError } = calibration!;
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 1, 2, 2]);
    expect(bins[4]!.confidence).toBeCloseTo(0.935, 5);
    expect(bins[4]!.accuracy).toBe(0.5);
    expect([bins[3]!.from, bins[3]!.to]).toEqual([3 / 5, 4 / 5]);
    const gaps = [
      [1, 0.55],
      [2, 1 - 0.675],
      [2, 0.435],
    ] as const;
    expect(error).toBeCloseTo(
      gaps.reduce((sum, [count, gap]) => sum + (count / 5) * gap, 0),
      5,
    );
    expect(largestError).toBeCloseTo(0.55, 5);
  });

  it('puts a certain answer into the last bin, and one that is NaN into none', async () => {
    const { calibration, loss } = await evaluated(
      [
        [200, -200],
        [Number.NaN, 0],
      ],
      [0, 0],
      { calibrationBins: 3 },
    );
    expect(calibration!.bins.map(({ count }) => count)).toEqual([0, 0, 1]);
    expect(calibration!.error).toBe(0);
    expect(loss).toBeNaN();
  });

  it('counts a row with a NaN as wrong, whatever its class', async () => {
    const { NaN: nan } = Number;
    const rows = [
      [nan, nan],
      [nan, nan],
      [nan, 0],
      [0, nan],
      [2, 1],
      [-Infinity, 1],
    ];
    const { accuracy, loss } = await evaluated(rows, [0, 1, 1, 0, 0, 1]);
    expect(accuracy).toBe(2 / 6);
    expect(loss).toBeNaN();
    expect((await evaluated(rows.slice(0, 4), [0, 1, 0, 0])).accuracy).toBe(0);
  });

  it('says what it cannot: bins, an empty data set, options it does not know', async () => {
    await expect(evaluated([[0, 0]], [0], { calibrationBins: 0 })).rejects.toThrow(/calibrationBins is 0/);
    await expect(evaluated([[0, 0]], [0], { bins: 3 } as never)).rejects.toThrow(/no option "bins"/);
    expect(calibrationFrom(new Float64Array(6), 2).error).toBeNaN();
  });

  it('caps a perplexity beyond the largest number, and leaves nothing behind', async () => {
    const ops = createOperations(createReferenceBackend());
    const { perplexity, loss } = await evaluated([[2000, 0]], [1], { ops });
    expect(loss).toBeCloseTo(2000, 3);
    expect(perplexity).toBe(Number.MAX_VALUE);
    const model = tinyMlp();
    const weights = model.initialize(ops, 1);
    const held = ops.memory().tensors;
    await evaluate({ ops, model, weights, dataset: moons(10), precision: f32, batchSize: 4, calibrationBins: 15 });
    expect(ops.memory().tensors).toBe(held);
  });
});
