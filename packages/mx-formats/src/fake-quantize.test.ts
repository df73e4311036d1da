import { describe, expect, it } from 'vitest';
import { expectSameBits } from '../test/expect-same-bits.js';
import { naiveBlock } from '../test/naive.js';
import { interestingFloats } from '../test/values.js';
import { MxFormatError } from './errors.js';
import { type FormatName, fakeQuantize, formats, roundings, scaleModes } from './index.js';
import { philoxWords } from './philox.js';

const names = (Object.keys(formats) as FormatName[]).filter((name) => formats[name].scale === 'e8m0');
const bitsOf = (values: Float32Array) => new Int32Array(values.buffer, values.byteOffset, values.length);
const key = { seed: 2 ** 40 + 12345, stream: 7, step: 3, sample: 1 };

function naive(values: Float32Array, name: FormatName, blockSize: number, mode: string, rounding: string): Int32Array {
  const words = new Int32Array(values.length);
  philoxWords(key, 0, values.length, words);
  const uniforms = Array.from(words, (word) => (word >>> 8) / 2 ** 24);
  const out = new Int32Array(values.length);
  for (let start = 0; start < values.length; start += blockSize) {
    const block = Array.from(values.subarray(start, start + blockSize));
    out.set(
      naiveBlock(formats[name].element.name, block, mode, rounding, uniforms.slice(start, start + blockSize)),
      start,
    );
  }
  return out;
}

describe.each(names)('fakeQuantize %s', (name) => {
  const values = interestingFloats(formats[name].element);

  it.each(scaleModes.flatMap((mode) => roundings.map((rounding) => [mode, rounding] as const)))(
    'has the oracle’s bits under %s and %s, in blocks of 1, 4 and 32',
    (scaleMode, rounding) => {
      for (const blockSize of [1, 4, 32]) {
        const actual = fakeQuantize(values, { format: name, blockSize, scaleMode, rounding, key });
        expectSameBits(actual, new Float32Array(naive(values, name, blockSize, scaleMode, rounding).buffer));
      }
    },
  );

  it('turns a block with a NaN or an infinity into NaN, and leaves its neighbours alone', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const input = new Float32Array(96).fill(1.5);
      input[40] = bad;
      const out = fakeQuantize(input, { format: name });
      expect(
        bitsOf(out)
          .subarray(32, 64)
          .every((bits) => bits === 0x7fc00000),
      ).toBe(true);
      expect(out.subarray(0, 32).every((v) => v === 1.5) && out.subarray(64).every((v) => v === 1.5)).toBe(true);
    }
  });

  it('quantizes along any axis as along the last one of a transposed copy', () => {
    const [a, b, c] = [3, 37, 21];
    const input = Float32Array.from({ length: a * b * c }, (_, i) => Math.sin(i * 1.7) * 2 ** ((i * 7) % 11));
    const transposed = new Float32Array(input.length);
    const at = (i: number, j: number, k: number) => (i * b + j) * c + k;
    const to = (i: number, j: number, k: number) => (i * c + k) * b + j;
    const each = (visit: (from: number, into: number) => void) => {
      for (let i = 0; i < a; i++)
        for (let j = 0; j < b; j++) for (let k = 0; k < c; k++) visit(at(i, j, k), to(i, j, k));
    };
    each((from, into) => {
      transposed[into] = input[from]!;
    });
    const middle = fakeQuantize(input, { format: name, shape: [a, b, c], axis: 1 });
    const last = fakeQuantize(transposed, { format: name, shape: [a, c, b], axis: -1 });
    each((from, into) => expect(Object.is(middle[from], last[into])).toBe(true));
    const first = fakeQuantize(input, { format: name, shape: [a * b, c], axis: 0, blockSize: 5 });
    const same = fakeQuantize(input, { format: name, shape: [a * b, c], axis: -2, blockSize: 5 });
    expect(first).toEqual(same);
  });

  it('works in place, and on a view into a larger buffer without touching the rest', () => {
    const buffer = new ArrayBuffer(4 * 200);
    const whole = new Float32Array(buffer).fill(3.3);
    const view = new Float32Array(buffer, 40, 100);
    for (let i = 0; i < view.length; i++) view[i] = Math.cos(i) * 5;
    const expected = fakeQuantize(view, { format: name });
    expect(fakeQuantize(view, { format: name }, view)).toBe(view);
    expect(view).toEqual(expected);
    expect(whole.subarray(0, 10).every((v) => v === Math.fround(3.3))).toBe(true);
    expect(whole.subarray(110).every((v) => v === Math.fround(3.3))).toBe(true);
  });

  it('takes stochastic bits by position in the tensor, whatever the axis', () => {
    const input = Float32Array.from({ length: 6 * 33 }, (_, i) => Math.sin(i) * 3);
    // Blocks of one element: the axis cannot matter to the scales, so any difference is one of random words.
    const options = { format: name, shape: [6, 33], blockSize: 1, rounding: 'stochastic', seed: 9 } as const;
    expect(fakeQuantize(input, { ...options, axis: 0 })).toEqual(fakeQuantize(input, { ...options, axis: 1 }));
  });
});

describe('fakeQuantize', () => {
  it('accepts no values, and an axis of length zero', () => {
    expect(fakeQuantize(new Float32Array(0), { format: 'mxfp6_e3m2' })).toHaveLength(0);
    expect(fakeQuantize(new Float32Array(0), { format: 'mxfp6_e3m2', shape: [4, 0, 3], axis: 1 })).toHaveLength(0);
  });

  it('knows the specification’s examples of clipping: A = 7.9 keeps scale 1 in E2M1 and clips to 6', () => {
    const values = Float32Array.of(7.9, -7.9, 5, 2.5, 0.25, 0.75, -0);
    const out = fakeQuantize(values, { format: 'mxfp4_e2m1' });
    expect(Array.from(out)).toEqual([6, -6, 4, 2, 0, 1, -0]);
  });

  const refusals: [string, () => unknown, string, string][] = [
    [
      'an unknown format',
      () => fakeQuantize(new Float32Array(4), { format: 'mxfp5' as FormatName }),
      'INVALID_ARGUMENT',
      'mxfp8_e5m2',
    ],
    [
      'an unknown option',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', blocksize: 4 } as never),
      'UNKNOWN_OPTION',
      'blocksize',
    ],
    [
      'a block size of zero',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', blockSize: 0 }),
      'INVALID_ARGUMENT',
      'block size is 0',
    ],
    [
      'an axis out of range',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', shape: [2, 2], axis: 2 }),
      'INVALID_ARGUMENT',
      'axis 2',
    ],
    [
      'a scalar',
      () => fakeQuantize(new Float32Array(1), { format: 'mxint8', shape: [] }),
      'INVALID_ARGUMENT',
      'scalar',
    ],
    [
      'a shape that does not match',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', shape: [2, 3] }),
      'SHAPE_MISMATCH',
      '6 values',
    ],
    [
      'a negative size',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', shape: [-2, -2] }),
      'INVALID_ARGUMENT',
      '-2',
    ],
    [
      'an unknown rounding',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', rounding: 'up' as never }),
      'INVALID_ARGUMENT',
      'nearestEven',
    ],
    [
      'an unknown scale mode',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', scaleMode: 'max' as never }),
      'INVALID_ARGUMENT',
      'rceil',
    ],
    [
      'stochastic rounding without a seed',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', rounding: 'stochastic' }),
      'INVALID_ARGUMENT',
      'seed',
    ],
    [
      'a fractional seed',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', seed: 0.5 }),
      'INVALID_ARGUMENT',
      '0.5',
    ],
    [
      'a seed and a key',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8', seed: 1, key }),
      'INVALID_ARGUMENT',
      'key',
    ],
    [
      'an out of another length',
      () => fakeQuantize(new Float32Array(4), { format: 'mxint8' }, new Float32Array(5)),
      'SHAPE_MISMATCH',
      '5 elements',
    ],
    [
      'an out that overlaps',
      () => {
        const all = new Float32Array(5);
        return fakeQuantize(all.subarray(0, 4), { format: 'mxint8' }, all.subarray(1));
      },
      'INVALID_ARGUMENT',
      '4 bytes',
    ],
  ];
  it.each(refusals)('refuses %s', (_, act, code, mention) => {
    const error = (() => {
      try {
        act();
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(MxFormatError);
    expect((error as MxFormatError).code).toBe(code);
    expect((error as MxFormatError).message).toContain(mention);
  });
});
