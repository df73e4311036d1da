import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, lmd, type NamedTensors } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { f32, moons, tinyMlp } from '../../test/tiny-mlp.js';
import type { Checkpoint, EvaluationEvent, Json, Plugin, Progress, TrainingRun } from '../index.js';
import {
  diagnostics,
  earlyStopping,
  eventListener,
  logNormality,
  progress,
  progressLine,
  readTensors,
  train,
  weightAveraging,
} from '../index.js';
import { normalQuantile } from './normal-quantile.js';

const base = () => ({
  backend: createReferenceBackend(),
  model: tinyMlp(),
  optimizer: adamw({ learningRate: 0.01 }),
  precision: f32,
  data: { train: moons(40), validation: moons(8) },
  seed: 1,
  steps: 10,
  batchSize: 8,
  evaluateEvery: 1,
});

describe('progress', () => {
  it('reports step, loss, smoothed speed and time left, no more often than asked', async () => {
    let clock = 0;
    const reports: Progress[] = [];
    const lines: string[] = [];
    await train({
      ...base(),
      plugins: [
        {
          name: 'clock',
          step() {
            clock += 50;
          },
        },
        progress({ interval: 200, now: () => clock, onProgress: (r) => reports.push(r), write: (l) => lines.push(l) }),
      ],
    });
    // Every 50 ms a step of 8 samples; reports at the first step, then after 200 ms each, and at the last.
    expect(reports.map(({ step }) => step)).toEqual([1, 5, 9, 10]);
    expect(reports[1]).toMatchObject({ totalSteps: 10, fraction: 0.5, epoch: 0 });
    expect(reports[1]!.samplesPerSecond).toBeCloseTo(160, 6);
    expect(reports[1]!.secondsLeft).toBeCloseTo(0.25, 6);
    expect(reports[0]!.validation).toBeUndefined();
    expect(reports[1]!.validation!.accuracy).toBeGreaterThan(0);
    expect(lines.length).toBe(4);
  });

  it('has a line that people can read', () => {
    const report = { step: 120, totalSteps: 600, fraction: 0.2, epoch: 0, loss: 0.43211, samplesPerSecond: 811.6 };
    expect(progressLine({ ...report, secondsLeft: 42.4, validation: { loss: 1, accuracy: 0.912 } })).toBe(
      'step 120/600 (20.0 %)  loss 0.4321  accuracy 91.20 %  812 samples/s  0:42 left',
    );
    expect(progressLine({ ...report, samplesPerSecond: 1.26, secondsLeft: 3723 })).toMatch(
      / 1\.3 samples\/s {2}1:02:03 left$/,
    );
  });

  it('refuses to report to nobody', () => {
    expect(() => progress({})).toThrow(/neither onProgress nor write/);
  });
});

describe('earlyStopping', () => {
  /** Feeds validation results to the plugin and gives the evaluations after which it stopped. */
  function stopsAfter(plugin: Plugin, results: { loss: number; accuracy: number }[]): number | undefined {
    let stopped: number | undefined;
    results.forEach((result, index) => {
      const run = { stop: () => (stopped ??= index + 1) } as unknown as TrainingRun;
      const event = {
        type: 'evaluation',
        split: 'validation',
        step: index,
        seconds: 0,
        examples: 1,
        ...result,
      } as const;
      plugin.evaluate!(event as EvaluationEvent, run);
    });
    return stopped;
  }
  const losses = (...values: number[]) => values.map((loss) => ({ loss, accuracy: 0 }));

  it('waits for `patience` evaluations without a better one', () => {
    expect(stopsAfter(earlyStopping({ patience: 2 }), losses(3, 2, 2.5, 2.4))).toBe(4);
    expect(stopsAfter(earlyStopping({ patience: 2 }), losses(3, 2, 2.5, 1.9, 2, 2))).toBe(6);
    expect(stopsAfter(earlyStopping({ patience: 2 }), losses(3, 2, 1))).toBeUndefined();
    expect(stopsAfter(earlyStopping({ patience: 2, minimumImprovement: 0.5 }), losses(3, 2.9, 2.6))).toBe(3);
    expect(stopsAfter(earlyStopping({ patience: 2 }), losses(Number.NaN, Number.NaN))).toBe(2);
    // Of a model whose logits are NaN.
    const none = { loss: Number.NaN, accuracy: 0 };
    expect(stopsAfter(earlyStopping({ patience: 2, metric: 'accuracy' }), [none, none])).toBe(2);
    expect(
      stopsAfter(earlyStopping({ patience: 2, metric: 'accuracy' }), [none, { loss: 1, accuracy: 0 }, none, none]),
    ).toBe(4);
    const accuracies = [0.5, 0.6, 0.55, 0.6].map((accuracy) => ({ loss: 0, accuracy }));
    expect(stopsAfter(earlyStopping({ patience: 2, metric: 'accuracy' }), accuracies)).toBe(4);
  });

  it('stops a run, and keeps a resumed one stopped', async () => {
    let checkpoint: Checkpoint | undefined;
    const save: Plugin = {
      name: 'save',
      async settle(_, run) {
        checkpoint = await run.snapshot();
      },
    };
    // A learning rate of zero improves on nothing.
    const options = () => ({ ...base(), optimizer: adamw({ learningRate: 0, weightDecay: 0 }) });
    const result = await train({ ...options(), plugins: [earlyStopping({ patience: 3 }), save] });
    expect([result.status, result.step]).toEqual(['stopped', 4]);
    expect(result.stopReason).toMatch(/loss has not improved .* for 3 evaluations/);
    result.dispose();
    const resumed = await train({
      ...options(),
      plugins: [earlyStopping({ patience: 3 })],
      resume: { checkpoint: checkpoint! },
    });
    expect([resumed.status, resumed.step]).toEqual(['stopped', 4]);
    resumed.dispose();
  });

  it('needs validation data', async () => {
    const running = train({ ...base(), data: { train: moons(40) }, plugins: [earlyStopping({ patience: 1 })] });
    await expect(running).rejects.toThrow(/needs validation data/);
  });
});

describe('weightAveraging', () => {
  it('gives the exponential average of the weights after each step', async () => {
    const backend = createReferenceBackend();
    const ops = createOperations(backend);
    const decay = 0.4;
    let expected: number[] | undefined;
    const shadow: Plugin = {
      name: 'shadow',
      async step({ step }, run) {
        const weights = run.optimizer.weights(ops, run.state);
        const values = await valuesOf(weights);
        ops.dispose(weights);
        const d = Math.min(decay, (1 + step) / (10 + step));
        expected = expected?.map((old, index) => d * old + (1 - d) * values[index]!) ?? values;
      },
    };
    const valuesOf = async (weights: NamedTensors) =>
      Object.values(await readTensors(ops, weights)).flatMap(({ data }) => [...data]);
    const result = await train({ ...base(), backend: undefined, ops, plugins: [shadow, weightAveraging({ decay })] });
    const actual = await valuesOf(result.weights);
    expect(actual.length).toBe(42);
    actual.forEach((value, index) => {
      expect(value).toBeCloseTo(expected![index]!, 5);
    });
    result.dispose();
    expect(backend.memory().tensors).toBe(0);
  });

  it('refuses a decay that is none', () => {
    for (const decay of [0, 1, Number.NaN]) expect(() => weightAveraging({ decay })).toThrow(/decay is/);
  });
});

describe('diagnostics', () => {
  it('summarises the log medians of LMD over all weights', async () => {
    const reports: Json[] = [];
    const steps: number[] = [];
    await train({
      ...base(),
      optimizer: lmd({ learningRate: 0.01 }),
      evaluateEvery: 5,
      plugins: [
        diagnostics({ bins: 7, onSummary: (_, step) => steps.push(step) }),
        eventListener((event) => void (event.type === 'report' && reports.push(event.data))),
      ],
    });
    expect(steps).toEqual([5, 10]);
    const { logMedians } = reports[0] as { logMedians: ReturnType<typeof logNormality> };
    expect(logMedians.count).toBe(2 * 42);
    expect(logMedians.histogram.counts.reduce((sum, count) => sum + count)).toBe(2 * 42);
    expect(logMedians.standardDeviation).toBeGreaterThan(0);
  });

  it('decodes medians that are stored as codes', async () => {
    const summaries: ReturnType<typeof logNormality>[] = [];
    for (const stateFormat of ['f32', 'block16'] as const) {
      const result = await train({
        ...base(),
        optimizer: lmd({ learningRate: 0.01, stateFormat }),
        plugins: [diagnostics({ onSummary: (summary, step) => step === 10 && summaries.push(summary) })],
      });
      result.dispose();
    }
    expect(summaries.map(({ count }) => count)).toEqual([2 * 42, 2 * 42]);
    expect(summaries[1]!.mean).toBeCloseTo(summaries[0]!.mean, 1);
    expect(summaries[1]!.standardDeviation).toBeCloseTo(summaries[0]!.standardDeviation, 1);
  });

  it('says nothing of an optimizer without medians', async () => {
    let summaries = 0;
    await train({ ...base(), plugins: [diagnostics({ onSummary: () => summaries++ })] });
    expect(summaries).toBe(0);
  });
});

describe('logNormality', () => {
  it('has the moments and the histogram', () => {
    const summary = logNormality(
      [
        [1, 2],
        [3, 4, 10],
      ],
      3,
    );
    expect(summary.count).toBe(5);
    expect(summary.mean).toBe(4);
    expect(summary.standardDeviation).toBeCloseTo(Math.sqrt(10), 12);
    expect(summary.skewness).toBeCloseTo(36 / 10 ** 1.5, 12);
    expect(summary.excessKurtosis).toBeCloseTo((81 + 16 + 1 + 0 + 1296) / 5 / 100 - 3, 12);
    expect(summary.histogram).toEqual({ minimum: 1, width: 3, counts: [3, 1, 1] });
  });

  it('has the correlation of the quantile plot: 1 for a normal law, less for others', () => {
    const uniforms = Array.from({ length: 2000 }, (_, i) => (i + 0.5) / 2000);
    const normals = uniforms.map((u) => 3 + 2 * normalQuantile(u));
    expect(logNormality([normals.slice(0, 500).reverse(), normals.slice(500)], 5).quantileCorrelation).toBeGreaterThan(
      0.99999,
    );
    // Known from the covariance with a normal quantile z: for a uniform law √(3/π), for an exponential law E[z·x] =
    // 0.9032.
    expect(logNormality([uniforms], 5).quantileCorrelation).toBeCloseTo(Math.sqrt(3 / Math.PI), 2);
    expect(logNormality([uniforms.map((u) => -Math.log(1 - u))], 5).quantileCorrelation).toBeCloseTo(0.9032, 2);
  });

  it('plots a part of very many numbers, evenly spaced', () => {
    const many = Float64Array.from({ length: 200_001 }, (_, i) => normalQuantile((i + 0.5) / 200_001));
    expect(logNormality([many.subarray(0, 70_000), many.subarray(70_000)], 5).quantileCorrelation).toBeGreaterThan(
      0.9999,
    );
  });

  it('puts equal values into one bin', () => {
    expect(logNormality([[2, 2, 2]], 4)).toMatchObject({
      mean: 2,
      standardDeviation: 0,
      skewness: 0,
      excessKurtosis: 0,
      quantileCorrelation: 0,
    });
    expect(logNormality([[2, 2, 2]], 4).histogram.counts).toEqual([3, 0, 0, 0]);
  });
});
