import { describe, expect, it } from 'vitest';
import { type BlockFormat, createOperations, type ErrorCode, LmdError, type PackedCodes } from '../index.js';
import { createTestBackend } from '../testing/index.js';

const ops = createOperations(createTestBackend());
const common = { kind: 'float', hasInfinity: false } as const;
const e2m1: BlockFormat = {
  name: 'mxfp4',
  element: {
    ...{ ...common, name: 'e2m1', bits: 4, exponentBits: 2, mantissaBits: 1 },
    ...{ bias: 1, emax: 2, emin: 0, largest: 6, hasNaN: false },
  },
  blockSize: 32,
  scale: 'e8m0',
};
const e4m3: BlockFormat = {
  name: 'mxfp8',
  element: {
    ...{ ...common, name: 'e4m3', bits: 8, exponentBits: 4, mantissaBits: 3 },
    ...{ bias: 7, emax: 8, emin: -6, largest: 448, hasNaN: true },
  },
  blockSize: 32,
  scale: 'e8m0',
};
const int8: BlockFormat = {
  name: 'mxint8',
  element: {
    ...{ kind: 'int', name: 'int8', bits: 8, exponentBits: 0, mantissaBits: 6 },
    ...{ bias: 0, emax: 0, emin: 0, largest: 127 / 64, hasNaN: false, hasInfinity: false },
  },
  blockSize: 32,
  scale: 'e8m0',
};
/** Codes 1, 2, 3 and 4 (0.5, 1, 1.5, 2), low nibble first; the first row's block counts twice. */
const source: PackedCodes = {
  format: e2m1,
  shape: [2, 2],
  axis: 1,
  codes: Uint8Array.of(0x21, 0x43),
  scales: Uint8Array.of(128, 127),
};

async function valuesOf(change: Partial<PackedCodes>): Promise<number[]> {
  const matrix = ops.packMatrix({ ...source, ...change });
  try {
    return [...(await ops.read(ops.decodeMatrix(matrix)))];
  } finally {
    ops.dispose(matrix.tensors);
  }
}

describe('packMatrix', () => {
  it('takes codes whichever way the matrix is stored, and gives rows of terms', async () => {
    expect(await valuesOf({})).toEqual([1, 2, 1.5, 2]);
    expect(await valuesOf({ axis: 0 })).toEqual([1, 3, 1, 2]);
  });

  const refused: readonly [string, Partial<PackedCodes>, ErrorCode][] = [
    ['too few codes', { codes: Uint8Array.of(1) }, 'SHAPE_MISMATCH'],
    ['too many scales', { scales: new Uint8Array(3) }, 'SHAPE_MISMATCH'],
    ['codes of another kind', { codes: [0, 0] as unknown as Uint8Array }, 'INVALID_ARGUMENT'],
    ['three axes', { shape: [2, 2, 1] }, 'INVALID_ARGUMENT'],
    ['an axis that is not there', { axis: 2 }, 'INVALID_ARGUMENT'],
    ['a scale of the tensor where there is none', { tensorScale: 2 }, 'INVALID_ARGUMENT'],
    ['blocks of another size', { format: { ...e2m1, blockSize: 24 } }, 'UNSUPPORTED'],
    ['scales of another kind', { format: { ...e2m1, scale: 'f32' } }, 'UNSUPPORTED'],
    ['a code of NaN', { format: e4m3, codes: Uint8Array.of(0, 0x7f, 0, 0) }, 'DATA_CORRUPT'],
    ['the least integer', { format: int8, codes: Uint8Array.of(0, 0x80, 0, 0) }, 'DATA_CORRUPT'],
    ['no format', { format: undefined as unknown as BlockFormat }, 'INVALID_ARGUMENT'],
  ];
  it.each(refused)('refuses %s, and takes no memory', (_, change, code) => {
    const before = ops.memory();
    try {
      ops.packMatrix({ ...source, ...change });
    } catch (error) {
      expect(error).toBeInstanceOf(LmdError);
      expect((error as LmdError).code).toBe(code);
      expect(ops.memory()).toEqual(before);
      return;
    }
    expect.fail('it was taken');
  });
});

describe('packedMatmul', () => {
  it('keeps the leading axes of x, and refuses other terms', async () => {
    const matrix = ops.packMatrix(source);
    const y = ops.packedMatmul(ops.fromData([1, 10, 0, 1], [2, 1, 2]), matrix);
    expect(y.shape).toEqual([2, 1, 2]);
    expect([...(await ops.read(y))]).toEqual([21, 21.5, 2, 2]);
    expect(() => ops.packedMatmul(ops.zeros([1, 3]), matrix)).toThrow(/must have 2/);
    expect(() => ops.packedRows(matrix, ops.zeros([1]))).toThrow(LmdError);
    ops.dispose(matrix.tensors);
    expect(() => ops.decodeMatrix(matrix)).toThrow(LmdError);
  });
});
