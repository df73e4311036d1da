import { goldenBlocks, goldenHashes, goldenInputs, goldenValues, hashWords } from '@lmd/mx-golden';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSameBits } from '../test/expect-same-bits.js';
import elementsGolden from '../test/golden/elements.json' with { type: 'json' };
import halvesGolden from '../test/golden/halves.json' with { type: 'json' };
import layoutsGolden from '../test/golden/layouts.json' with { type: 'json' };
import nvfp4Golden from '../test/golden/nvfp4.json' with { type: 'json' };
import {
  decodeElements,
  dequantize,
  dequantizePlain,
  type ElementName,
  elementFormats,
  encodeElements,
  type FormatName,
  fakeQuantize,
  formats,
  quantize,
  roundings,
  roundToBfloat16,
  roundToFloat16,
  type ScaleMode,
  toBlockedScales,
  unpack,
  useKernels,
} from './index.js';

const wordsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
const datasets: Record<string, Float32Array> = { patterns: goldenValues('patterns'), edges: goldenValues('edges') };

/** Hashes of `parts` equal parts. */
function hashes(words: ArrayLike<number>, parts: number): number[] {
  const size = words.length / parts;
  return Array.from({ length: parts }, (_, part) => hashWords(words, part * size, (part + 1) * size));
}

describe('golden inputs', () => {
  it.each(Object.keys(datasets))('%s are those of the script', (name) => {
    expect(hashWords(wordsOf(datasets[name]!))).toBe(goldenInputs[name as 'patterns' | 'edges']);
  });

  it('hold every finite float32 of 12 leading mantissa bits', () => {
    expect(new Set(wordsOf(datasets.patterns!)).size).toBe(255 * 2 * 4096);
  });
});

type ElementGolden = (typeof elementsGolden.elements)['e5m2'];

describe.each(Object.keys(elementFormats) as ElementName[])('element codes of %s', (name) => {
  const element = elementFormats[name];
  const golden = elementsGolden.elements[name] as ElementGolden;
  const half = 2 ** (element.bits - 1);
  const ordered = new Float32Array(Int32Array.from({ length: 255 << 12 }, (_, i) => i << 11).buffer);

  it('decode as the oracle’s; an E5M2 NaN keeps its payload, where the oracle’s has none', () => {
    const codes = Uint8Array.from({ length: 2 * half }, (_, code) => code);
    const actual = Array.from(wordsOf(decodeElements(codes, name)));
    const expected = golden.decoded.map((word, code) => {
      const payload = name === 'e5m2' && (word & 0x7fffff) !== 0 && (word & 0x7f800000) === 0x7f800000;
      return payload ? ((word & 0xff800000) | ((code & 3) << 21)) >>> 0 : word;
    });
    expect(actual).toEqual(expected);
  });

  it('encode every float32 of 12 leading mantissa bits as ml_dtypes does, but saturate', () => {
    // ml_dtypes has no INT8: gfloat alone is its oracle, below.
    const signs =
      name === 'int8'
        ? []
        : ([
            [0, golden.mlDtypes],
            [half, golden.mlDtypesNegative],
          ] as const);
    expect(signs).toHaveLength(name === 'int8' ? 0 : 2);
    for (const [sign, runs] of signs) {
      const signed = sign === 0 ? ordered : ordered.map((value) => -value);
      const actual = encodeElements(signed, name);
      const expected = new Uint8Array(ordered.length);
      for (let run = 0; run < runs.length; run += 2)
        expected.fill(runs[run + 1]!, runs[run]!, runs[run + 2] ?? expected.length);
      // ml_dtypes overflows to infinity (E5M2) or NaN (E4M3): the code after the largest one's.
      const largestCode = encodeElements(Float32Array.of(element.largest), name)[0]!;
      const overflow = element.hasNaN ? sign + largestCode + 1 : -1;
      expectSameBits(
        actual,
        expected.map((code) => (code === overflow ? sign + largestCode : code)),
      );
    }
  });

  it.each(['nearestEven', 'nearestAway', 'towardZero'] as const)('round as gfloat does under %s', (rounding) => {
    const round = (values: Float32Array) => wordsOf(decodeElements(encodeElements(values, name, rounding), name));
    expect(hashWords(round(ordered))).toBe(golden[rounding]);
    const positive = decodeElements(
      Uint8Array.from({ length: half }, (_, code) => code),
      name,
    ).filter(Number.isFinite);
    // INT8's magnitudes run up to 2, the code that only the negative side has.
    const magnitudes = element.kind === 'int' ? [...positive, 2] : Array.from(positive);
    const centres: number[] = [];
    const add = (value: number) => centres.push(wordsOf(Float32Array.of(value))[0]!);
    for (let i = 1; i < magnitudes.length; i++) add((magnitudes[i - 1]! + magnitudes[i]!) / 2);
    for (const magnitude of magnitudes.slice(1)) add(magnitude);
    for (let exponent = 1; exponent < 255; exponent++) centres.push(exponent << 23);
    const words = centres.flatMap((word) =>
      [-2, -1, 0, 1, 2].flatMap((delta) => [word + delta, word + delta + 2 ** 31]),
    );
    expect([words.length, hashWords(words)]).toEqual([golden.neighbours.count, golden.neighbours.inputs]);
    const values = new Float32Array(Uint32Array.from(words).buffer);
    // encodeElement keeps the exact −2 of INT8, which the symmetric contract of the oracle file does not.
    const rounded = round(values).map((word) => (name === 'int8' && word === 0xc0000000 ? 0xbffe0000 : word));
    expect(hashWords(rounded)).toBe(golden.neighbours[rounding]);
  });
});

const kernelCases = goldenBlocks.cases.flatMap((golden) =>
  (['wasm', 'plain'] as const).map(
    (kernels) => [golden.dataset, golden.format, golden.scaleMode, kernels, golden] as const,
  ),
);

describe.each(kernelCases)('blocks: %s in %s under %s by the %s kernels', (dataset, format, mode, kernels, golden) => {
  beforeAll(() => useKernels(kernels));
  afterAll(() => useKernels('wasm'));

  const values = datasets[dataset]!;
  const scaleMode = mode as ScaleMode;
  const { bits } = formats[format as FormatName].element;

  it('has torchao’s scales, and its codes above the smallest scale', () => {
    const tensor = quantize(values, { format: format as FormatName, scaleMode });
    expect(hashes(tensor.scales, 51)).toEqual(golden.scales);
    if (golden.torchaoCodes !== undefined) {
      // torchao leaves FP6 a code a byte. Under scale byte 0 it divides by 2^-126 instead of 2^-127: the first binades
      // differ.
      const codes = bits === 6 ? unpack(tensor.codes, 6, values.length) : tensor.codes;
      expect(hashes(codes, 51).slice(5)).toEqual(golden.torchaoCodes.slice(5));
    }
  });

  it('has gfloat’s roundings under those scales', () => {
    // The plain kernels take their time: the larger set is left to the default rounding there.
    const some = kernels === 'plain' && dataset === 'patterns' ? (['nearestEven'] as const) : roundings;
    for (const rounding of some) {
      const out = fakeQuantize(values, { format: format as FormatName, scaleMode, rounding, key: goldenBlocks.key });
      expect([rounding, goldenHashes(out)]).toEqual([rounding, golden[rounding]]);
    }
  });
});

describe('NVFP4', () => {
  const { firstGroup, groups, inputs, cases } = nvfp4Golden;
  const values = datasets.edges!.slice(512 * firstGroup, 512 * (firstGroup + groups));

  it.each(cases)('has torchao’s scales, codes and values with tensor scale $tensorScale', (golden) => {
    expect(hashWords(wordsOf(values))).toBe(inputs);
    const tensor = quantize(values, { format: 'nvfp4', ...(golden.tensorScale === null && { tensorScale: 1 }) });
    if (golden.tensorScale !== null) expect(wordsOf(Float32Array.of(tensor.tensorScale))[0]).toBe(golden.tensorScale);
    expect(hashWords(tensor.scales)).toBe(golden.scales);
    expect(hashWords(tensor.codes)).toBe(golden.codes);
    expect(hashWords(wordsOf(dequantize(tensor)))).toBe(golden.values);
    expect(hashWords(wordsOf(dequantizePlain(tensor)))).toBe(golden.values);
  });
});

describe('halves and layouts', () => {
  const all = new Float32Array([
    ...datasets.patterns!,
    ...datasets.edges!,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);

  it('rounds to bfloat16 as ml_dtypes does, and to float16 as numpy does', () => {
    expect(hashWords(wordsOf(roundToBfloat16(all)))).toBe(halvesGolden.bfloat16);
    expect(hashWords(wordsOf(roundToFloat16(all)))).toBe(halvesGolden.float16);
  });

  it.each(layoutsGolden.cases)('blocks $rows × $columns scales as torchao does', ({ rows, columns, blocked }) => {
    const scales = Uint8Array.from({ length: rows * columns }, (_, i) => i % 251);
    expect(hashWords(toBlockedScales(scales, rows, columns))).toBe(blocked);
  });
});
