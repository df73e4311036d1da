import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type EagerOperations, type Tensor } from '@lmd/core';
import { Matrix, QrDecomposition, SingularValueDecomposition } from 'ml-matrix';
import { beforeEach, describe, expect, it } from 'vitest';
import { hebbianSubspace } from './index.js';

let ops: EagerOperations;
beforeEach(() => {
  ops = createOperations(createReferenceBackend());
});

async function matrixOf(tensor: Tensor): Promise<Matrix> {
  const [rows, columns] = tensor.shape as [number, number];
  return Matrix.from1DArray(rows, columns, [...(await ops.read(tensor))]);
}

/** Inputs [examples, scales] with these standard deviations along directions of no axis, and a mean that is not 0. */
async function inputsWith(scales: readonly number[], examples = 300): Promise<Tensor> {
  const width = scales.length;
  const normal = (shape: readonly number[], stream: number) =>
    ops.randomNormal(shape, { seed: 3, stream, step: 0, sample: 0 });
  const random = normal([width, width], 1);
  const turn = new QrDecomposition(await matrixOf(random)).orthogonalMatrix;
  ops.dispose(random);
  return ops.scope(() => {
    const scaled = ops.multiply(ops.add(normal([examples, width], 2), 0.5), ops.fromData(scales));
    return ops.matmul(scaled, ops.fromData(turn.to1DArray(), [width, width]));
  });
}

/** The leading right singular vectors as columns: principal components of the second moment, which is not centred. */
async function principal(x: Tensor, count: number): Promise<Matrix> {
  const { rightSingularVectors } = new SingularValueDecomposition(await matrixOf(x));
  return rightSingularVectors.subMatrix(0, rightSingularVectors.rows - 1, 0, count - 1);
}

/** The largest principal angle between the spans of the columns, in degrees. */
function largestAngle(a: Matrix, b: Matrix): number {
  const [p, q] = [a, b].map((one) => new QrDecomposition(one).orthogonalMatrix) as [Matrix, Matrix];
  const cosines = new SingularValueDecomposition(p.transpose().mmul(q)).diagonal;
  return (Math.acos(Math.min(1, ...cosines)) * 180) / Math.PI;
}

describe('hebbianSubspace', () => {
  const scales = [3, 2.5, 2, 1.5, 0.6, 0.5, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1];

  it('spans what PCA spans, with orthonormal rows', async () => {
    const x = await inputsWith(scales);
    const h = await hebbianSubspace(ops, x, { rows: 4, batchSize: 300 });
    expect(largestAngle((await matrixOf(h)).transpose(), await principal(x, 4))).toBeLessThan(5);
    const gram = (await matrixOf(h)).mmul((await matrixOf(h)).transpose());
    expect(gram.sub(Matrix.eye(4)).norm()).toBeLessThan(0.01);
    ops.dispose([x, h]);
    expect(ops.memory().tensors).toBe(0);
  });

  it('is not there before it has learnt', async () => {
    const x = await inputsWith(scales);
    const h = await hebbianSubspace(ops, x, { rows: 4, batchSize: 300, steps: 1 });
    expect(largestAngle((await matrixOf(h)).transpose(), await principal(x, 4))).toBeGreaterThan(5);
  });

  it('learns the next directions beside known ones: together those of PCA', async () => {
    const x = await inputsWith(scales);
    const first = await hebbianSubspace(ops, x, { rows: 2, batchSize: 300 });
    const next = await hebbianSubspace(ops, x, { rows: 2, batchSize: 300 }, first);
    const both = await matrixOf(ops.concatenate([first, next], 0));
    expect(largestAngle(both.transpose(), await principal(x, 4))).toBeLessThan(5);
    expect((await matrixOf(next)).mmul((await matrixOf(first)).transpose()).norm()).toBeLessThan(0.05);
  });

  it('is the same for the same seed', async () => {
    const x = await inputsWith(scales);
    const learn = async (seed: number) =>
      (await matrixOf(await hebbianSubspace(ops, x, { rows: 2, steps: 5, batchSize: 64, seed }))).to1DArray();
    expect(await learn(1)).toEqual(await learn(1));
    expect(await learn(1)).not.toEqual(await learn(2));
  });

  it.each<[string, object, number, string, RegExp]>([
    [
      'a subspace larger than the layer',
      { rows: 13 },
      0,
      'INVALID_ARGUMENT',
      /rows is 13 .* only 12 inputs.*at most 12/,
    ],
    ['more rows than are left', { rows: 3 }, 10, 'INVALID_ARGUMENT', /rows is 3 beside 10 known .*at most 2/],
    ['no row', { rows: 0 }, 0, 'INVALID_ARGUMENT', /rows is 0/],
    ['a learning rate that diverges', { rows: 3, learningRate: 50 }, 0, 'NON_FINITE', /diverged at learningRate 50/],
  ])('refuses %s', async (_, options, knownRows, code, message) => {
    const x = await inputsWith(scales);
    const known = knownRows === 0 ? undefined : ops.zeros([knownRows, 12]);
    const before = ops.memory().tensors;
    await expect(hebbianSubspace(ops, x, options as { rows: number }, known)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(ops.memory().tensors).toBe(before);
  });

  it('refuses known directions of another width, and inputs that are not finite', async () => {
    const x = await inputsWith(scales);
    await expect(hebbianSubspace(ops, x, { rows: 1 }, ops.zeros([1, 5]))).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
    });
    await expect(hebbianSubspace(ops, ops.full([9, 3], Number.NaN), { rows: 1 })).rejects.toMatchObject({
      code: 'NON_FINITE',
      subject: 'inputs',
    });
  });
});
