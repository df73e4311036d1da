import { describe, expect, it } from 'vitest';
import { expectSameBits } from '../test/expect-same-bits.js';
import { interestingFloats, normals, randomBits } from '../test/values.js';
import {
  dequantize,
  type FormatName,
  fakeQuantize,
  formats,
  MxFormatError,
  type MxTensor,
  mxfp4_e2m1,
  quantize,
  roundings,
  scaleModes,
  unpack,
} from './index.js';

const names = Object.keys(formats) as FormatName[];

describe.each(names)('quantize %s', (name) => {
  const { element, scale } = formats[name];
  const modes = scale === 'e8m0' ? scaleModes : [undefined];

  it('then dequantize has the bits of fakeQuantize, for every rounding, scale mode and axis', () => {
    const special = interestingFloats(element).subarray(0, 7 * 45 * 5);
    for (const values of [normals(7 * 45 * 5, 3), special]) {
      for (const axis of [0, 1, 2]) {
        for (const rounding of roundings) {
          for (const scaleMode of modes) {
            const options = {
              format: name,
              shape: [7, 45, 5],
              axis,
              rounding,
              seed: 4,
              ...(scaleMode && { scaleMode }),
            };
            const direct = fakeQuantize(values, options);
            const through = dequantize(quantize(values, options));
            expectSameBits(through, direct);
          }
        }
      }
    }
  });

  it('keeps what is already on its grid', () => {
    const once = fakeQuantize(normals(640, 5), { format: name });
    const tensor = quantize(once, { format: name });
    if (scale === 'e8m0') expect(dequantize(tensor)).toEqual(once);
    expect(dequantize(tensor)).toEqual(fakeQuantize(once, { format: name }));
  });

  it('gives an all-zero block scale 0 and the codes of its zeros', () => {
    const zeros = new Float32Array(formats[name].blockSize).fill(0);
    zeros[3] = -0;
    const { scales, codes } = quantize(zeros, { format: name });
    const negativeZero = element.kind === 'float' ? 1 << (element.bits - 1) : 0;
    const expected = new Uint8Array(zeros.length);
    expected[3] = negativeZero;
    expect(Array.from(scales)).toEqual([0]);
    expect(unpack(codes, element.bits, zeros.length)).toEqual(expected);
  });

  it('gives a block with a NaN or an infinity the NaN scale and zero codes', () => {
    const values = normals(formats[name].blockSize * 3, 6);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      values[formats[name].blockSize + 1] = bad;
      const tensor = quantize(values, { format: name });
      expect(tensor.scales[1]).toBe(scale === 'e8m0' ? 0xff : 0x7f);
      const codes = unpack(tensor.codes, element.bits, values.length);
      expect(codes.subarray(formats[name].blockSize, 2 * formats[name].blockSize).every((code) => code === 0)).toBe(
        true,
      );
      const back = dequantize(tensor);
      expect(back.map((v) => Number(Number.isNaN(v))).indexOf(1)).toBe(formats[name].blockSize);
      expect(back.filter((v) => Number.isNaN(v))).toHaveLength(formats[name].blockSize);
    }
  });

  it('takes zero values, and an axis of length zero', () => {
    const empty = quantize(new Float32Array(0), { format: name });
    expect([empty.scales.length, empty.codes.length]).toEqual([0, 0]);
    expect(dequantize(empty)).toHaveLength(0);
    const flat = quantize(new Float32Array(0), { format: name, shape: [3, 0, 2], axis: 1 });
    expect(dequantize(flat)).toHaveLength(0);
  });

  it('takes bytes of any value: decoding a random tensor never throws', () => {
    const next = randomBits(8);
    const { blockSize } = formats[name];
    const count = blockSize * 40;
    const tensor: MxTensor = {
      format: formats[name],
      shape: [count],
      axis: 0,
      blockSize,
      scales: Uint8Array.from({ length: 40 }, () => next() & 255),
      codes: Uint8Array.from({ length: (count * element.bits) / 8 }, () => next() & 255),
      tensorScale: 1,
    };
    expect(dequantize(tensor)).toHaveLength(count);
  });
});

describe('quantize', () => {
  it('has the bytes worked out by hand: MXFP4 of 1, −0.5, 3, 6 beside a scale of 1', () => {
    const values = new Float32Array(32);
    values.set([1, -0.5, 3, 6]);
    const { scales, codes } = quantize(values, { format: 'mxfp4_e2m1' });
    expect(Array.from(scales)).toEqual([127]);
    // Codes 2, 9, 5, 7; the first of a pair in the low nibble.
    expect(Array.from(codes.subarray(0, 3))).toEqual([0x92, 0x75, 0]);
  });

  it('has the bytes worked out by hand: MXFP6 E3M2 of 1, 28, −0.0625, 0 under scale 1, four codes in 3 bytes', () => {
    const { scales, codes } = quantize(Float32Array.of(1, 28, -0.0625, 0), { format: 'mxfp6_e3m2' });
    expect(Array.from(scales)).toEqual([127]);
    // Codes 12, 31, 33, 0, from the lowest bit up.
    const word = 12 | (31 << 6) | (33 << 12);
    expect(Array.from(codes)).toEqual([word & 255, (word >> 8) & 255, word >> 16]);
  });

  it('files the scales row-major with the axis divided by the block size', () => {
    const values = Float32Array.from({ length: 2 * 5 * 3 }, (_, i) => 2 ** (i % 7));
    const tensor = quantize(values, { format: 'mxfp8_e4m3', shape: [2, 5, 3], axis: 1, blockSize: 2 });
    expect(tensor.scales).toHaveLength(2 * 3 * 3);
    const exponent = (i: number, j: number, k: number) => Math.log2(values[(i * 5 + j) * 3 + k] ?? 0);
    // Block 1 of column 2 of slab 1 holds the elements j = 2 and 3.
    expect(tensor.scales[(1 * 3 + 1) * 3 + 2]).toBe(127 - 8 + Math.max(exponent(1, 2, 2), exponent(1, 3, 2)));
    // The short last block of column 0 of slab 0 holds j = 4 alone.
    expect(tensor.scales[2 * 3]).toBe(127 - 8 + exponent(0, 4, 0));
  });

  it('takes a tensor scale for NVFP4: 1 is single-level scaling', () => {
    const values = normals(64, 2);
    const tensor = quantize(values, { format: 'nvfp4', tensorScale: 1 });
    expect(tensor.tensorScale).toBe(1);
    expect(dequantize(tensor)).toEqual(fakeQuantize(values, { format: 'nvfp4', tensorScale: 1 }));
  });

  it('survives an NVFP4 tensor whose values are all subnormal', () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => (i - 16) * 2 ** -149);
    const tensor = quantize(values, { format: 'nvfp4' });
    expect(tensor.tensorScale).toBe(2 ** -120);
    expect(dequantize(tensor).every(Number.isFinite)).toBe(true);
  });
});

describe('bad input', () => {
  const good = quantize(normals(64, 1), { format: 'mxfp6_e3m2' });
  const refusals: [string, () => unknown, string, string][] = [
    [
      'codes of the wrong length',
      () => dequantize({ ...good, codes: good.codes.subarray(1) }),
      'SHAPE_MISMATCH',
      'codes',
    ],
    [
      'scales of the wrong length',
      () => dequantize({ ...good, scales: new Uint8Array(3) }),
      'SHAPE_MISMATCH',
      'scales',
    ],
    ['a shape that does not match', () => dequantize({ ...good, shape: [65] }), 'SHAPE_MISMATCH', '65'],
    ['an axis out of range', () => dequantize({ ...good, axis: 1 }), 'INVALID_ARGUMENT', 'axis'],
    ['a block size of zero', () => dequantize({ ...good, blockSize: 0 }), 'INVALID_ARGUMENT', 'block size'],
    [
      'a tensor scale of NaN',
      () => dequantize({ ...good, format: formats.nvfp4, tensorScale: Number.NaN }),
      'SHAPE_MISMATCH',
      'bytes',
    ],
    [
      'a tensor scale of NaN, all else being right',
      () => dequantize({ ...quantize(normals(64, 1), { format: 'nvfp4' }), tensorScale: Number.NaN }),
      'INVALID_ARGUMENT',
      'tensor scale',
    ],
    [
      'a tensor scale where there is none',
      () => dequantize({ ...good, tensorScale: 2 }),
      'INVALID_ARGUMENT',
      'tensor scale',
    ],
    ['an out of another length', () => dequantize(good, new Float32Array(63)), 'SHAPE_MISMATCH', '63'],
    [
      'scaleMode with E4M3 scales',
      () => quantize(normals(16, 1), { format: 'nvfp4', scaleMode: 'ceil' }),
      'UNSUPPORTED',
      'scaleMode',
    ],
    [
      'tensorScale with E8M0 scales',
      () => quantize(normals(32, 1), { format: mxfp4_e2m1, tensorScale: 2 }),
      'UNSUPPORTED',
      'tensorScale',
    ],
    [
      'a tensor scale of zero',
      () => quantize(normals(16, 1), { format: 'nvfp4', tensorScale: 0 }),
      'INVALID_ARGUMENT',
      'is 0',
    ],
    [
      'a tensor scale beyond float32',
      () => quantize(normals(16, 1), { format: 'nvfp4', tensorScale: 0.1 }),
      'INVALID_ARGUMENT',
      '0.1',
    ],
  ];
  it.each(refusals)('refuses %s', (_, act, code, mention) => {
    let error: unknown;
    try {
      act();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MxFormatError);
    expect([(error as MxFormatError).code, (error as MxFormatError).message]).toEqual([
      code,
      expect.stringContaining(mention),
    ]);
  });
});
