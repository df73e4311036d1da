import { valueAndGradients } from '@lmd/autograd';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, outcome } from '../../test/small-run.js';
import { moons, tinyMlp } from '../../test/tiny-mlp.js';
import { lossOf, train } from '../index.js';
import { checkedBatch } from './check-batch.js';
import type { BatchContext, Dataset } from './dataset.js';
import { split, subset } from './subset.js';

const logits = [
  [1.5, -0.25, 3],
  [0, 40, -40],
];
const q = [
  [0.2, 0.3, 0.5],
  [0.05, 0.9, 0.05],
];
const logSoftmax = (row: readonly number[]) => {
  const top = Math.max(...row);
  const logSum = top + Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0));
  return row.map((z) => z - logSum);
};

describe('lossOf with soft labels', () => {
  it('is the cross-entropy against the distribution, with the gradient p − q', async () => {
    const ops = createOperations(createReferenceBackend());
    const expected = logits.reduce(
      (sum, row, r) => sum - logSoftmax(row).reduce((part, logP, c) => part + q[r]![c]! * logP, 0) / 2,
      0,
    );
    for (const labels of [
      [0, 1],
      [2, 0],
    ]) {
      const { value, gradients } = valueAndGradients(ops, { z: ops.fromData(logits.flat(), [2, 3]) }, (tape, { z }) =>
        lossOf(tape, z!, tape.fromData(Int32Array.from(labels), [2]), tape.fromData(q.flat(), [2, 3])),
      );
      // Whatever the class in labels; ulps of the logits, the largest of which is 40.
      expect(Math.abs((await ops.read(value))[0]! - expected)).toBeLessThan(40 * 2 ** -22);
      const gradient = await ops.read(gradients.z!);
      logits.forEach((row, r) => {
        logSoftmax(row).forEach((logP, c) => {
          expect(Math.abs(gradient[r * 3 + c]! - (Math.exp(logP) - q[r]![c]!) / 2)).toBeLessThan(2 ** -21);
        });
      });
    }
  });

  it('with all weight on one class is the loss without', async () => {
    const ops = createOperations(createReferenceBackend());
    const z = ops.fromData(logits.flat(), [2, 3]);
    const labels = ops.fromData(Int32Array.of(2, 1), [2]);
    const soft = lossOf(ops, z, labels, ops.fromData([0, 0, 1, 0, 1, 0], [2, 3]));
    expect(await ops.read(soft)).toEqual(await ops.read(lossOf(ops, z, labels)));
  });
});

describe('a data set with soft labels', () => {
  const soft = (dataset: Dataset, seen: (BatchContext | undefined)[] = []): Dataset => ({
    ...dataset,
    async batch(indices, context) {
      seen.push(context);
      const batch = await dataset.batch(indices);
      const data = Float32Array.from(batch.labels.data).map((label) => 0.1 + 0.8 * label);
      return {
        ...batch,
        softLabels: { data: Float32Array.from([...data].flatMap((p) => [1 - p, p])), shape: [indices.length, 2] },
      };
    },
  });

  it('is trained on by them, by micro-batches as by whole batches', async () => {
    const options = (microBatchSize: number) => ({
      ...base(),
      model: tinyMlp(),
      steps: 4,
      microBatchSize,
      data: { train: soft(moons(40)) },
    });
    const whole = await outcome(options(8));
    const parts = await outcome(options(3));
    const hard = await outcome({ ...base(), model: tinyMlp(), steps: 4, data: { train: moons(40) } });
    for (const [name, { data }] of Object.entries(whole.tensors)) {
      data.forEach((value, index) => {
        expect(Math.abs(parts.tensors[name]!.data[index]! - value)).toBeLessThan(1e-4);
      });
    }
    expect(hard.tensors).not.toEqual(whole.tensors);
  });

  it('is told seed and epoch in training, through subsets too, and nothing in evaluation', async () => {
    const seen: (BatchContext | undefined)[] = [];
    const data = split(soft(moons(20), seen), { validation: 4, seed: 0 });
    const result = await train({ ...base(), data, seed: 9, steps: 3, batchSize: 8 });
    result.dispose();
    expect(seen).toEqual([{ seed: 9, epoch: 0 }, { seed: 9, epoch: 0 }, { seed: 9, epoch: 1 }, undefined]);
  });

  it('is refused where a row is no distribution, or the shape another', async () => {
    const dataset = subset(moons(2), [0, 1]);
    const indices = Int32Array.of(0, 1);
    const batch = await dataset.batch(indices);
    const check = (data: number[], shape: number[]) => {
      try {
        checkedBatch(dataset, indices, { ...batch, softLabels: { data: Float32Array.from(data), shape } });
      } catch (error) {
        return isLmdError(error) ? `${error.code} ${error.subject}` : error;
      }
      return 'fine';
    };
    expect(check([0.25, 0.75, 1, 0], [2, 2])).toBe('fine');
    expect(check([0.25, 0.7, 1, 0], [2, 2])).toBe('DATA_CORRUPT softLabels[0]');
    expect(check([0.5, 0.5, 1.5, -0.5], [2, 2])).toBe('DATA_CORRUPT softLabels[1]');
    expect(check([0.5, 0.5, Number.NaN, 0.5], [2, 2])).toBe('DATA_CORRUPT softLabels[1]');
    expect(check([1, 1], [2])).toBe('SHAPE_MISMATCH softLabels');
    expect(check([1, 0], [1, 2])).toBe('SHAPE_MISMATCH softLabels');
  });
});
