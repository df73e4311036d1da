import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, fillRandomNormal, isLmdError, type Model, type NamedTensors } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { f32 } from '../../test/tiny-mlp.js';
import {
  areaUnderRoc,
  averagedCounts,
  type Dataset,
  evaluate,
  evaluateUncertainty,
  type UncertaintyOptions,
} from '../index.js';
import { temperatureFrom } from './temperature.js';

/** Adds the weight `shift` to its inputs, which are logits: a posterior of shifted logits. */
const shifted: Model = {
  name: 'shifted',
  parameters: { shift: { shape: [3] } },
  initialize: () => ({}),
  forward: (ops, weights, x) => ops.add(x, weights.shift!),
};

function normals(count: number, stream: number): Float32Array {
  const values = new Float32Array(count);
  fillRandomNormal(values, { seed: 7, stream, step: 0, sample: 0 });
  return values;
}

const logits = normals(30, 1).map((value) => 2 * value);
const labels = Int32Array.from({ length: 10 }, (_, row) => (row === 4 ? -100 : (row * 7) % 3));
const shifts = [
  [0, 0, 0],
  [1, -1, 0.5],
  [-2, 0, 1],
  [0.5, 0.5, -3],
  [0, 2, 0],
];

/** A data set of logits, whose labels may be negative, or of other classes. */
function rowsOf(inputs: Float32Array, given: readonly number[]): Dataset {
  return {
    name: 'logits',
    size: given.length,
    inputShape: [3],
    batch: (indices) => ({
      inputs: {
        data: Float32Array.from([...indices].flatMap((row) => [...inputs.subarray(3 * row, 3 * row + 3)])),
        shape: [indices.length, 3],
        dtype: 'f32',
      },
      labels: { data: Int32Array.from(indices, (row) => given[row]!), shape: [indices.length] },
    }),
  };
}

/** In plain numbers: the mean probabilities of each row over the first samples. */
function meanProbabilities(samples: number): number[][] {
  return Array.from({ length: 10 }, (_, row) => {
    const mean = [0, 0, 0];
    for (const shift of shifts.slice(0, samples)) {
      const z = [0, 1, 2].map((c) => logits[3 * row + c]! + shift[c]!);
      const sum = z.reduce((total, value) => total + Math.exp(value), 0);
      z.forEach((value, c) => {
        mean[c]! += Math.exp(value) / sum / samples;
      });
    }
    return mean;
  });
}

async function evaluated(options: Partial<UncertaintyOptions> = {}) {
  const ops = createOperations(createReferenceBackend());
  const before = ops.memory().tensors;
  const result = await evaluateUncertainty({
    ops,
    model: shifted,
    weights: (sample): NamedTensors => ({ shift: ops.fromData(shifts[sample]!, [3]) }),
    dataset: rowsOf(logits, [...labels]),
    precision: f32,
    batchSize: 4,
    ...options,
  });
  expect(ops.memory().tensors, 'nothing is left behind').toBe(before);
  return result;
}

const counted = [...labels.keys()].filter((row) => labels[row]! >= 0);
const meanOver = (value: (row: number) => number) => counted.reduce((sum, row) => sum + value(row), 0) / counted.length;

describe('evaluateUncertainty', () => {
  it('averages probabilities, not losses, of the first 1, 2, 4, … samples', async () => {
    const { averages, confidence, entropy } = await evaluated({ samples: 5 });
    expect(averages.map(({ samples }) => samples)).toEqual([1, 2, 4, 5]);
    for (const { samples, loss, accuracy, brier } of averages) {
      const p = meanProbabilities(samples);
      expect(loss).toBeCloseTo(
        meanOver((row) => -Math.log(p[row]![labels[row]!]!)),
        6,
      );
      expect(accuracy).toBe(meanOver((row) => Number(p[row]!.indexOf(Math.max(...p[row]!)) === labels[row]!)));
      const squares = (row: number) =>
        p[row]!.reduce((sum, value, c) => sum + (value - (c === labels[row]! ? 1 : 0)) ** 2, 0);
      expect(brier).toBeCloseTo(meanOver(squares), 6);
    }
    const p = meanProbabilities(5);
    expect([...confidence].map((value) => value.toFixed(5))).toEqual(
      counted.map((row) => Math.max(...p[row]!).toFixed(5)),
    );
    counted.forEach((row, index) => {
      const expected = p[row]!.reduce((sum, value) => sum - value * Math.log(value), 0);
      expect(entropy[index]).toBeCloseTo(expected, 5);
    });
  });

  it('agrees with evaluate on one sample', async () => {
    const { averages } = await evaluated();
    const ops = createOperations(createReferenceBackend());
    const same = await evaluate({
      ops,
      model: shifted,
      weights: { shift: ops.zeros([3]) },
      dataset: rowsOf(logits, [...labels]),
      precision: f32,
      batchSize: 10,
      calibrationBins: 15,
    });
    expect(averages).toHaveLength(1);
    expect(averages[0]!.loss).toBeCloseTo(same.loss, 6);
    expect(averages[0]!.accuracy).toBeCloseTo(same.accuracy, 12);
    expect(averages[0]!.calibration.error).toBeCloseTo(same.calibration!.error, 6);
  });

  it('has the loss of probabilities that 32 bits cannot hold', async () => {
    const inputs = Float32Array.of(0, 400, 0);
    const dataset = rowsOf(inputs, [0]);
    const { averages, scaledLoss } = await evaluated({ dataset, temperature: 100 });
    expect(averages[0]!.loss).toBeCloseTo(400, 4);
    expect(scaledLoss).toBeCloseTo(Math.log(2 + Math.exp(4)), 5);
  });

  it('fits the temperature of its data: the loss at it is the least', async () => {
    // Labels drawn from softmax(z / 2.5): the best temperature is about that.
    const size = 600;
    const z = normals(3 * size, 2).map((value) => 4 * value);
    const uniforms = normals(size, 3);
    const drawn = Array.from({ length: size }, (_, row) => {
      const weights = [0, 1, 2].map((c) => Math.exp(z[3 * row + c]! / 2.5));
      // Of a normal number, the share of smaller ones, by the logistic approximation.
      let rest = (weights[0]! + weights[1]! + weights[2]!) / (1 + Math.exp(-1.702 * uniforms[row]!));
      return weights.findIndex((weight) => {
        rest -= weight;
        return rest < 0;
      });
    });
    const dataset = rowsOf(z, drawn);
    const { fittedTemperature } = await evaluated({ dataset, fitTemperature: true, batchSize: 97 });
    const lossAt = (t: number) => {
      let sum = 0;
      for (let row = 0; row < size; row++) {
        const scaled = [0, 1, 2].map((c) => z[3 * row + c]! / t);
        sum += Math.log(scaled.reduce((total, value) => total + Math.exp(value), 0)) - scaled[drawn[row]!]!;
      }
      return sum / size;
    };
    expect(fittedTemperature).toBeGreaterThan(2);
    expect(fittedTemperature).toBeLessThan(3.2);
    for (const factor of [0.995, 1.005]) {
      expect(lossAt(fittedTemperature!)).toBeLessThan(lossAt(fittedTemperature! * factor));
    }
    const { scaledLoss } = await evaluated({ dataset, temperature: fittedTemperature! });
    expect(scaledLoss).toBeCloseTo(lossAt(fittedTemperature!), 5);
  });

  it('scales the mean of several samples by its logarithm', async () => {
    const { scaledLoss } = await evaluated({ samples: 3, temperature: 2 });
    const p = meanProbabilities(3);
    const expected = meanOver((row) => {
      const roots = p[row]!.map(Math.sqrt);
      return -Math.log(roots[labels[row]!]! / roots.reduce((sum, value) => sum + value, 0));
    });
    expect(scaledLoss).toBeCloseTo(expected, 6);
  });

  it('takes data of other classes where labels are ignored', async () => {
    const dataset = rowsOf(
      logits,
      [...labels].map(() => 8),
    );
    const { averages, confidence } = await evaluated({ dataset, ignoreLabels: true, samples: 2 });
    expect(averages).toEqual([]);
    expect(confidence).toHaveLength(10);
    await expect(evaluated({ dataset })).rejects.toThrow(/the label of example 0 is 8, but the model has 3 classes/);
  });

  it('counts NaN as wrong, and says so in the loss', async () => {
    const inputs = Float32Array.of(Number.NaN, 0, 0, 3, 0, 0);
    const dataset = rowsOf(inputs, [0, 0]);
    const { averages } = await evaluated({ dataset });
    expect(averages[0]).toMatchObject({ loss: Number.NaN, accuracy: 0.5 });
  });

  it('is interrupted between batches, and reports its progress', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = (examples: number) => {
      seen.push(examples);
      if (examples === 8) controller.abort();
    };
    const caught = await evaluated({ signal: controller.signal, onProgress }).catch((error) => error);
    expect(isLmdError(caught, 'INTERRUPTED')).toBe(true);
    expect(seen).toEqual([4, 8]);
  });
});

describe('averagedCounts', () => {
  it.each([
    [1, [1]],
    [2, [1, 2]],
    [5, [1, 2, 4, 5]],
    [32, [1, 2, 4, 8, 16, 32]],
  ])('of %i samples', (samples, counts) => expect(averagedCounts(samples)).toEqual(counts));
});

describe('temperatureFrom', () => {
  it('is the end of the range where the loss has no minimum in it', () => {
    expect(temperatureFrom(Array.from({ length: 34 }, (_, i) => (i % 2 === 0 ? -1 : 0)))).toBe(1 / 16);
    expect(temperatureFrom(Array.from({ length: 34 }, (_, i) => (i % 2 === 0 ? 1 : 0)))).toBe(16);
    expect(temperatureFrom(new Array(34).fill(Number.NaN))).toBeNaN();
  });
});

describe('areaUnderRoc', () => {
  it.each([
    // By hand: the share of pairs in order, equal ones half. The first is the example of scikit-learn's roc_auc_score.
    [[0.1, 0.4], [0.35, 0.8], 0.75],
    [[1, 2, 3], [4, 5], 1],
    [[4, 5], [1, 2, 3], 0],
    [[1, 1], [1, 1, 1], 0.5],
    [[0.2, 0.5, 0.5], [0.5, 0.9], (1 + 0.5 + 0.5 + 3) / 6],
  ])('of %j against %j is %d', (negatives, positives, expected) => {
    expect(areaUnderRoc(negatives, positives)).toBeCloseTo(expected, 12);
  });

  it('is the count of pairs', () => {
    const [low, high] = [
      normals(60, 4).map((v) => Math.round(3 * v)),
      normals(40, 5).map((v) => Math.round(3 * v + 2)),
    ];
    let pairs = 0;
    for (const a of low) for (const b of high) pairs += a < b ? 1 : a === b ? 0.5 : 0;
    expect(areaUnderRoc(low, high)).toBeCloseTo(pairs / 2400, 12);
  });

  it('refuses nothing to compare, and passes NaN on', () => {
    expect(() => areaUnderRoc([], [1])).toThrow(/there are no negatives/);
    expect(areaUnderRoc([Number.NaN, 1], [2])).toBeNaN();
  });
});
