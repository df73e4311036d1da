import { describe, expect, it } from 'vitest';
import { normals } from '../test/values.js';
import {
  dequantize,
  fromBlockedScales,
  fromGgmlMxfp4,
  MxFormatError,
  quantize,
  toBlockedScales,
  toGgmlMxfp4,
  unpack,
} from './index.js';

describe('ggml MXFP4', () => {
  const tensor = quantize(normals(4 * 96, 11), { format: 'mxfp4_e2m1', shape: [4, 96] });

  it('is 17 bytes a block: the scale, then elements j and j + 16 in the nibbles of byte j', () => {
    const bytes = toGgmlMxfp4(tensor);
    expect(bytes).toHaveLength(12 * 17);
    const codes = unpack(tensor.codes, 4, 4 * 96);
    for (let block = 0; block < 12; block++) {
      expect(bytes[block * 17]).toBe(tensor.scales[block]);
      for (let j = 0; j < 16; j++) {
        const byte = bytes[block * 17 + 1 + j]!;
        expect([byte & 15, byte >> 4]).toEqual([codes[block * 32 + j], codes[block * 32 + j + 16]]);
      }
    }
  });

  it('comes back unchanged, with the same values', () => {
    const back = fromGgmlMxfp4(toGgmlMxfp4(tensor), [4, 96]);
    expect(back).toEqual(tensor);
    expect(dequantize(back)).toEqual(dequantize(tensor));
  });

  it('decodes as ggml’s own table of doubled values and halved scales does', () => {
    const kvalues = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];
    const bytes = toGgmlMxfp4(tensor);
    const values = dequantize(tensor);
    for (let block = 0; block < 12; block++) {
      const half = 2 ** (bytes[block * 17]! - 128);
      for (let j = 0; j < 16; j++) {
        const byte = bytes[block * 17 + 1 + j]!;
        expect(values[block * 32 + j]! + 0).toBe(kvalues[byte & 15]! * half);
        expect(values[block * 32 + j + 16]! + 0).toBe(kvalues[byte >> 4]! * half);
      }
    }
  });

  const values = normals(64, 12);
  it.each([
    ['another format', () => toGgmlMxfp4(quantize(values, { format: 'mxfp6_e3m2' })), 'UNSUPPORTED'],
    ['NVFP4', () => toGgmlMxfp4(quantize(values, { format: 'nvfp4' })), 'UNSUPPORTED'],
    ['blocks of 16', () => toGgmlMxfp4(quantize(values, { format: 'mxfp4_e2m1', blockSize: 16 })), 'UNSUPPORTED'],
    [
      'another axis',
      () => toGgmlMxfp4(quantize(values, { format: 'mxfp4_e2m1', shape: [32, 2], axis: 0 })),
      'UNSUPPORTED',
    ],
    [
      'rows that are not whole blocks',
      () => toGgmlMxfp4(quantize(values, { format: 'mxfp4_e2m1', shape: [4, 16] })),
      'UNSUPPORTED',
    ],
    ['bytes of another length', () => fromGgmlMxfp4(new Uint8Array(33), [64]), 'SHAPE_MISMATCH'],
    ['a scalar shape', () => fromGgmlMxfp4(new Uint8Array(17), []), 'UNSUPPORTED'],
  ])('refuses %s', (_, act, code) => {
    expect(act).toThrow(MxFormatError);
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});

describe('blocked scales', () => {
  it('puts row r, column c of a 128 × 4 tile at (r mod 32)·16 + ⌊r / 32⌋·4 + c, and pads with zeros', () => {
    const rows = 130;
    const columns = 6;
    const scales = Uint8Array.from({ length: rows * columns }, (_, i) => (i % 254) + 1);
    const blocked = toBlockedScales(scales, rows, columns);
    expect(blocked).toHaveLength(256 * 8);
    expect(blocked[5 * 16 + 2 * 4 + 3]).toBe(scales[69 * columns + 3]);
    expect(blocked[512 + 0]).toBe(scales[4]);
    expect(blocked[2 * 512 + 16]).toBe(scales[129 * columns]);
    expect(blocked.reduce((zeros, byte) => zeros + Number(byte === 0), 0)).toBe(256 * 8 - rows * columns);
    expect(fromBlockedScales(blocked, rows, columns)).toEqual(scales);
  });

  it('refuses another count', () => {
    expect(() => toBlockedScales(new Uint8Array(7), 2, 4)).toThrow(MxFormatError);
    expect(() => fromBlockedScales(new Uint8Array(511), 2, 4)).toThrow(MxFormatError);
  });
});
