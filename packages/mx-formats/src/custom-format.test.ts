import { describe, expect, it } from 'vitest';
import { expectSameBits } from '../test/expect-same-bits.js';
import { normals } from '../test/values.js';
import {
  type BlockFormat,
  decodeElements,
  dequantize,
  type ElementFormat,
  elementFormats,
  encodeElements,
  fakeQuantize,
  formats,
  MxFormatError,
  quantize,
  roundings,
  validateBlockFormat,
} from './index.js';

const e3m3: ElementFormat = {
  name: 'e3m3',
  kind: 'float',
  bits: 7,
  exponentBits: 3,
  mantissaBits: 3,
  bias: 3,
  emax: 4,
  emin: -2,
  largest: 30,
  hasInfinity: false,
  hasNaN: false,
};
const e3m0: ElementFormat = { ...e3m3, name: 'e3m0', bits: 4, mantissaBits: 0, largest: 16 };
const ieeeE4m3: ElementFormat = {
  ...elementFormats.e4m3,
  name: 'ieee_e4m3',
  emax: 7,
  largest: 240,
  hasInfinity: true,
};
const int4: ElementFormat = { ...elementFormats.int8, name: 'int4', bits: 4, mantissaBits: 2, largest: 7 / 4 };
const ternary: ElementFormat = { ...elementFormats.int8, name: 'ternary', bits: 2, mantissaBits: 0, largest: 1 };
const custom = [e3m3, e3m0, ieeeE4m3, int4, ternary];

const blockOf = (element: ElementFormat, scale = 'e8m0', blockSize = 8): BlockFormat => ({
  name: `block_${element.name}`,
  element,
  blockSize,
  scale,
});

describe.each(custom.map((element) => [element.name, element] as const))('a format of one’s own: %s', (_, element) => {
  it('decodes and encodes every code back to itself', () => {
    const codes = Uint8Array.from({ length: 2 ** element.bits }, (_, code) => code);
    expect(encodeElements(decodeElements(codes, element), element)).toEqual(codes);
  });

  it('rounds to the nearest of its own values, ties to the even code', () => {
    const half = 2 ** (element.bits - 1);
    const all = decodeElements(
      Uint8Array.from({ length: half }, (_, code) => code),
      element,
    );
    const magnitudes = Array.from(all).filter((value) => Number.isFinite(value));
    expect(Math.max(...magnitudes)).toBe(element.largest);
    for (let code = 0; code + 1 < magnitudes.length; code++) {
      const [low, high] = [magnitudes[code]!, magnitudes[code + 1]!];
      const tie = (low + high) / 2;
      const even = code % 2 === 0 ? code : code + 1;
      expect(Array.from(encodeElements(Float32Array.of(tie, tie * 0.999, tie * 1.001), element))).toEqual([
        even,
        code,
        code + 1,
      ]);
    }
  });

  it.each(['e8m0', 'e4m3'])('quantizes, packs and comes back, with %s scales, under every rounding', (scale) => {
    const values = normals(8 * 13 * 3, 17);
    for (const rounding of roundings) {
      for (const axis of [0, 1]) {
        const options = { format: blockOf(element, scale), shape: [24, 13], axis, rounding, seed: 3 };
        const tensor = quantize(values, options);
        expect(tensor.codes).toHaveLength(Math.ceil((values.length * element.bits) / 8));
        expectSameBits(dequantize(tensor), fakeQuantize(values, options));
      }
    }
  });
});

describe('validateBlockFormat', () => {
  it('accepts every format there is', () => {
    for (const format of Object.values(formats)) expect(() => validateBlockFormat(format)).not.toThrow();
  });

  const good = blockOf(e3m3);
  const wrongElement = (fields: Partial<ElementFormat>) => ({ ...good, element: { ...e3m3, ...fields } });
  const wrong: [string, unknown][] = [
    ['name', { ...good, name: '' }],
    ['element', { ...good, element: null }],
    ['blockSize', { ...good, blockSize: 0 }],
    ['blockSize', { ...good, blockSize: 2.5 }],
    ['scale', { ...good, scale: 'e5m3' }],
    ['kind', wrongElement({ kind: 'posit' as never })],
    ['bits', wrongElement({ bits: 9 })],
    ['bits', wrongElement({ bits: 6 })],
    ['exponentBits', wrongElement({ exponentBits: 0 })],
    ['mantissaBits', wrongElement({ mantissaBits: -1 })],
    ['bias', wrongElement({ bias: 0.5 })],
    ['bias', wrongElement({ bias: 200 })],
    ['emin', wrongElement({ emin: -3 })],
    ['emax', wrongElement({ emax: 5 })],
    ['largest', wrongElement({ largest: 28 })],
    ['hasNaN', wrongElement({ hasInfinity: true })],
    ['hasNaN', wrongElement({ hasNaN: undefined as never })],
    ['exponentBits', { ...good, element: { ...int4, exponentBits: 2 } }],
    ['bias', { ...good, element: { ...int4, bias: 1 } }],
    ['mantissaBits', { ...good, element: { ...int4, mantissaBits: 1.5 } }],
    ['hasNaN', { ...good, element: { ...int4, hasNaN: true } }],
    ['emax', { ...good, element: { ...int4, emax: 1 } }],
  ];
  it.each(wrong)('refuses a wrong %s, and names it', (field, record) => {
    let error: unknown;
    try {
      fakeQuantize(new Float32Array(8), { format: record as BlockFormat });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MxFormatError);
    expect((error as MxFormatError).code).toBe('INVALID_ARGUMENT');
    expect((error as MxFormatError).subject).toBe(field);
  });

  it('refuses what is no record at all', () => {
    expect(() => fakeQuantize(new Float32Array(8), { format: 7 as never })).toThrow(MxFormatError);
    expect(() => fakeQuantize(new Float32Array(8), { format: null as never })).toThrow(MxFormatError);
  });
});
