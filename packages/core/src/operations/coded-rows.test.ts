import { describe, expect, it } from 'vitest';
import { type BlockFormat, type CodedRows, createOperations } from '../index.js';
import { createTestBackend, e2m1, errorOf } from '../testing/index.js';

const ops = createOperations(createTestBackend());
const mxfp4: BlockFormat = { name: 'mxfp4', element: e2m1, blockSize: 32, scale: 'e8m0' };

describe('encodeRows', () => {
  it('gives codes of rows whose values are on the grid of the format, and back', async () => {
    const values = [0, 0.5, -1, 1.5, -2, 3, 4, -6, 0.25, -0.125, 0, 0.75, 1.5, 1, 0.5, -1.5];
    const rows = ops.encodeRows(ops.fromData(values, [2, 8]), mxfp4);
    expect(rows).toMatchObject({ format: mxfp4, shape: [2, 8] });
    expect([...(await ops.read(ops.decodeRows(rows)))]).toEqual(values);
  });

  it('has no tensors for rows without values', async () => {
    const rows = ops.encodeRows(ops.zeros([2, 0, 8]), mxfp4);
    expect(rows.tensors).toEqual({});
    expect(ops.decodeRows(rows).shape).toEqual([2, 0, 8]);
  });

  it.each([
    ['a format with other scales', [1, 4], { ...mxfp4, scale: 'e4m3' }, 'UNSUPPORTED'],
    ['elements of 3 bits', [1, 4], { ...mxfp4, element: { ...e2m1, bits: 3 } }, 'UNSUPPORTED'],
    ['no format', [1, 4], 'mxfp4', 'INVALID_ARGUMENT'],
    ['a scalar', [], mxfp4, 'SHAPE_MISMATCH'],
  ])('refuses %s', (_, shape, format, code) => {
    expect(errorOf(() => ops.encodeRows(ops.zeros(shape), format as BlockFormat))).toMatchObject({ code });
  });
});

describe('codedAttention', () => {
  const rowsOf = (shape: readonly number[]): CodedRows => ops.encodeRows(ops.zeros(shape), mxfp4);

  it('attends to the values of the codes, with 1/√width as its scale', async () => {
    const query = ops.fromData([1, 0, 2, 1], [1, 2, 1, 2]);
    const x = ops.fromData([1, 2, 3, 4, -1, 0.5, 2, 6, 1, 1, 0, 3, 4, 0, -2, 1], [1, 4, 2, 2]);
    const values = ops.decodeRows(ops.encodeRows(x, mxfp4));
    const half = (first: number) => ops.slice(values, [0, first, 0, 0], [1, 2, 2, 2]);
    const want = await ops.read(ops.attention(query, half(0), half(2)));
    expect(await ops.read(ops.codedAttention(query, ops.encodeRows(x, mxfp4)))).toEqual(want);
    expect(await ops.read(ops.codedAttention(query, ops.encodeRows(x, mxfp4), 2))).not.toEqual(want);
  });

  it.each([
    ['another number of heads', [1, 2, 1, 4], [1, 2, 3, 4]],
    ['another width', [1, 1, 1, 4], [1, 2, 3, 5]],
    ['no keys', [1, 1, 1, 4], [1, 2, 0, 4]],
  ])('refuses %s', (_, query, rows) => {
    const error = errorOf(() => ops.codedAttention(ops.zeros(query), rowsOf(rows)));
    expect(error).toMatchObject({ code: 'SHAPE_MISMATCH' });
  });

  it('refuses codes that were cut to another number of rows', () => {
    const rows = rowsOf([1, 2, 3, 4]);
    const cut = errorOf(() => ops.decodeRows({ ...rows, shape: [1, 2, 4, 4] }));
    expect(cut).toMatchObject({ code: 'SHAPE_MISMATCH' });
  });
});
