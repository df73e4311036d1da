import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { expectSameBits } from '../test/expect-same-bits.js';
import { normals, randomBits } from '../test/values.js';
import {
  type BlockFormat,
  decodeElements,
  dequantize,
  type ElementFormat,
  elementFormats,
  encodeElement,
  encodeElements,
  fakeQuantize,
  formats,
  fromBlockedScales,
  fromGgmlMxfp4,
  isMxFormatError,
  type MxTensor,
  mxfp4_e2m1,
  pack,
  planInMemory,
  quantizationError,
  quantize,
  roundings,
  roundToBfloat16,
  toBlockedScales,
  toGgmlMxfp4,
  unpack,
  useKernels,
  validateBlockFormat,
  validateElementFormat,
} from './index.js';

afterEach(() => useKernels('wasm'));

const foreign = (expression: string): never => runInNewContext(expression) as never;
const format = 'mxfp4_e2m1';

/** The typed error that `act` throws. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isMxFormatError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'nothing was refused';
}

describe('arrays', () => {
  it('of another realm are taken', () => {
    const values = normals(512, 3);
    const far = runInNewContext('Float32Array.from(values)', { values: [...values] }) as Float32Array;
    expectSameBits(fakeQuantize(far, { format }), fakeQuantize(values, { format }));
    const { codes, scales, ...rest } = quantize(values, { format });
    const bytes = (own: Uint8Array) => runInNewContext('Uint8Array.from(own)', { own: [...own] }) as Uint8Array;
    const tensor = { ...rest, codes: bytes(codes), scales: Buffer.from(scales) };
    expectSameBits(dequantize(tensor), dequantize({ ...rest, codes, scales }));
  });

  it.each<[string, (given: never) => unknown, string]>([
    ['quantize', (given) => quantize(given, { format }), 'values'],
    ['fakeQuantize', (given) => fakeQuantize(given, { format }), 'values'],
    ['quantizationError', (given) => quantizationError(given, { format }), 'values'],
    ['roundToBfloat16', (given) => roundToBfloat16(given), 'values'],
    ['encodeElements', (given) => encodeElements(given, 'e2m1'), 'values'],
    ['fakeQuantize into', (given) => fakeQuantize(new Float32Array(1), { format }, given), 'out'],
    ['decodeElements', (given) => decodeElements(given, 'e2m1'), 'codes'],
    ['pack', (given) => pack(given, 4), 'codes'],
    ['unpack', (given) => unpack(given, 4, 2), 'packed'],
    ['toBlockedScales', (given) => toBlockedScales(given, 1, 1), 'scales'],
    ['fromGgmlMxfp4', (given) => fromGgmlMxfp4(given, [32]), 'bytes'],
  ])('of another kind are refused by %s', (_, act, subject) => {
    const others: [unknown, string][] = [
      [Float64Array.of(1), 'a Float64Array'],
      [foreign('Float64Array.of(1)'), 'a Float64Array'],
      [[1], '[1]'],
      [new DataView(new ArrayBuffer(4)), 'a DataView'],
      [{ length: 1 }, 'an object'],
      [null, 'null'],
      ['text', '"text"'],
    ];
    for (const [given, shown] of others) {
      expect(refusal(() => act(given as never))).toContain(`INVALID_ARGUMENT ${subject} is ${shown}.`);
    }
  });
});

describe('block sizes', () => {
  const values = normals(4096, 5);

  it.each([2 ** 31, 2 ** 32, 2 ** 32 + 32, 2 ** 53, 0, -32, 0.5, Number.NaN, '32', 32n])(
    'of %s are refused',
    (blockSize) => {
      const wanted = 'INVALID_ARGUMENT The block size is';
      const options = { format, blockSize } as never;
      for (const kernels of ['plain', 'wasm'] as const) {
        useKernels(kernels);
        expect(refusal(() => fakeQuantize(values, options))).toContain(wanted);
        expect(refusal(() => quantize(values, options))).toContain(wanted);
      }
      expect(refusal(() => planInMemory(4096, options))).toContain(wanted);
      expect(refusal(() => validateBlockFormat({ ...mxfp4_e2m1, blockSize } as never))).toContain('has blockSize =');
      const tensor = { ...quantize(values, { format }), blockSize } as MxTensor;
      expect(refusal(() => dequantize(tensor))).toContain(wanted);
    },
  );

  it.each([
    [[4096], 0],
    [[4, 1024], 1],
    [[1024, 4], 0],
    [[2, 512, 4], 1],
  ] as const)('up to 2^31 − 1 mean a scale a row: shape %j along %i', (shape, axis) => {
    for (const name of Object.keys(formats) as (keyof typeof formats)[]) {
      const whole = fakeQuantize(values, { format: name, shape, axis, blockSize: shape[axis]! });
      for (const kernels of ['plain', 'wasm'] as const) {
        useKernels(kernels);
        const options = { format: name, shape, axis, blockSize: 2 ** 31 - 1 };
        expectSameBits(fakeQuantize(values, options), whole);
        expectSameBits(dequantize(quantize(values, options)), whole);
      }
    }
  });
});

describe('shapes without elements', () => {
  it.each([
    [[2 ** 49, 0], 0],
    [[2 ** 49, 0], 1],
    [[0, 2 ** 49], 0],
    [[0, 2 ** 49], 1],
    [[2 ** 40, 0, 2 ** 40], 1],
    [[2 ** 53 - 1, 2 ** 53 - 1, 0], 0],
  ] as const)('end at once: %j along %i', (shape, axis) => {
    for (const name of ['mxfp6_e3m2', 'nvfp4'] as const) {
      const tensor = quantize(new Float32Array(0), { format: name, shape, axis, blockSize: 2 ** 31 - 1 });
      expect([tensor.codes.length, tensor.scales.length, tensor.shape]).toEqual([0, 0, shape]);
      expect(dequantize(tensor).length).toBe(0);
      expect(fakeQuantize(new Float32Array(0), { format: name, shape, axis }).length).toBe(0);
      expect(planInMemory(0, { format: name, shape, axis }).total).toBe(0);
    }
    expect(quantizationError(new Float32Array(0), { format, shape, axis }).largestError).toBe(0);
  });

  it('end at once in other layouts', () => {
    expect(toBlockedScales(new Uint8Array(0), 2 ** 49, 0).length).toBe(0);
    expect(fromBlockedScales(new Uint8Array(0), 2 ** 49, 0).length).toBe(0);
    expect(fromGgmlMxfp4(new Uint8Array(0), [2 ** 49, 0]).codes.length).toBe(0);
    expect(refusal(() => fromGgmlMxfp4(new Uint8Array(17), [-1, -32]))).toContain('has a size of -1');
  });
});

describe('a format by its name', () => {
  const values = normals(64, 4);
  const tensor = quantize(values, { format });

  it('stands for its record wherever a tensor is given', () => {
    expectSameBits(dequantize({ ...tensor, format }), dequantize(tensor));
    expect(toGgmlMxfp4({ ...tensor, format })).toEqual(toGgmlMxfp4(tensor));
  });

  it('is refused with the names there are, and elsewhere with what takes one', () => {
    const message = 'INVALID_ARGUMENT Unknown format "MXFP4". Use one of mxfp8_e5m2,';
    expect(refusal(() => dequantize({ ...tensor, format: 'MXFP4' as never }))).toContain(message);
    expect(refusal(() => quantize(values, { format: 'MXFP4' as never }))).toContain(message);
    expect(refusal(() => encodeElement(1, 'mxfp4_e2m1' as never))).toContain('Unknown element format');
    expect(refusal(() => validateBlockFormat('mxfp4_e2m1' as never))).toContain(
      'The format is "mxfp4_e2m1", and no record. `formatNamed` gives the record of a name.',
    );
    expect(refusal(() => validateElementFormat(null as never))).toContain('The element format is null, and no record.');
    expect(refusal(() => quantize(values, null as never))).toContain('The options are null.');
    expect(refusal(() => dequantize(null as never))).toContain('The quantized tensor is null.');
  });
});

describe('a format of two’s complement without mantissa bits', () => {
  const ternary: ElementFormat = { ...elementFormats.int8, name: 'ternary', bits: 2, mantissaBits: 0, largest: 1 };
  const e2m0: ElementFormat = {
    ...elementFormats.e2m1,
    name: 'e2m0',
    bits: 3,
    mantissaBits: 0,
    emax: 2,
    largest: 4,
  };

  it.each([ternary, e2m0])('rounds a tie at the lowest scale alike in both kernels: $name', (element) => {
    const block: BlockFormat = { name: element.name, element, blockSize: 32, scale: 'e8m0' };
    const ties = [2 ** -127, 2 ** -128, -(2 ** -128), 3 * 2 ** -129, 2 ** -129, 2 ** -126, 3 * 2 ** -128, 2 ** -149];
    const values = Float32Array.from({ length: 1024 }, (_, i) => ties[i % 8]! * (i < 512 ? 1 : 0.5));
    for (const rounding of roundings) {
      useKernels('plain');
      const options = { format: block, rounding, ...(rounding === 'stochastic' ? { seed: 1 } : {}) };
      const plain = [fakeQuantize(values, options), quantize(values, options)] as const;
      useKernels('wasm');
      expectSameBits(fakeQuantize(values, options), plain[0]);
      expect(quantize(values, options).codes).toEqual(plain[1].codes);
      expectSameBits(dequantize(plain[1]), plain[0]);
    }
  });

  it('rounds the tie to the even code', () => {
    const block: BlockFormat = { name: 'ternary', element: ternary, blockSize: 32, scale: 'e8m0' };
    const rounded = fakeQuantize(Float32Array.of(2 ** -127, 2 ** -128, -(2 ** -128)), { format: block });
    expect([...rounded]).toEqual([2 ** -127, 0, 0]);
  });
});

describe('whatever is given', () => {
  it('is answered or refused by name: 10,000 records', () => {
    const next = randomBits(20_261_130);
    const pick = <T>(choices: readonly T[]): T => choices[next() % choices.length]!;
    const odd = [
      ...[undefined, null, Number.NaN, Infinity, -1, 0, 0.5, 2 ** 31, 2 ** 53, 10n, '', 'mxint8', '__proto__', true],
      ...[[], {}, [[]], Symbol('x'), () => 1, Object.create(null), new Uint8Array(3), new Float64Array(2)],
      ...[[2 ** 49, 0], [Number.NaN, 2], [-1], ['2'], [2 ** 53, 2 ** 53], [1e308, 1e308, 10], [3.5]],
    ];
    const outcomes = { given: 0, refused: 0 };
    for (let i = 0; i < 10_000; i++) {
      const count = pick([1, 2, 31, 64, 300]);
      const name = pick(Object.keys(formats) as (keyof typeof formats)[]);
      const right = quantize(normals(count, i), { format: name });
      const broken: Record<string, unknown> = { ...right };
      for (let k = next() % 3; k >= 0; k--) {
        const field = pick(Object.keys(right));
        const how = next() % 3;
        if (how === 0) broken[field] = pick(odd);
        else if (field === 'codes' || field === 'scales') {
          broken[field] = Uint8Array.from({ length: pick([0, 1, count, right.codes.length]) }, () => next() & 255);
        } else if (field === 'shape') broken.shape = pick([[count], [count, 1], [1, count], [0, count], [count + 1]]);
        else if (field === 'format')
          broken.format = { ...formats[name], [pick(Object.keys(formats[name]))]: pick(odd) };
        else broken[field] = pick([-1, 0, 1, 16, 33, 2 ** 31, 1.5]);
      }
      const options = {
        [pick(['format', 'shape', 'axis', 'blockSize', 'rounding', 'scaleMode', 'seed', 'key'])]: pick(odd),
      };
      const acts = [
        () => dequantize(broken as unknown as MxTensor),
        () => quantize(normals(count, i), { format: name, ...options } as never),
        () => fakeQuantize(normals(count, i), { format: name, ...options } as never),
        () => unpack(broken.codes as Uint8Array, pick(odd) as number, pick(odd) as number),
        () => toGgmlMxfp4(broken as unknown as MxTensor),
        () => fromGgmlMxfp4(right.codes, broken.shape as number[]),
        () => toBlockedScales(right.scales, pick(odd) as number, pick(odd) as number),
      ];
      const answer = refusal(pick(acts));
      outcomes[answer === 'nothing was refused' ? 'given' : 'refused']++;
    }
    // Neither everything nor nothing is refused, or the records are too broken or too whole to tell.
    expect(outcomes.given).toBeGreaterThan(300);
    expect(outcomes.refused).toBeGreaterThan(3000);
  });
});
