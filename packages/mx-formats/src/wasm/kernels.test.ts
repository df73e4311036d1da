import { goldenValues } from '@lmd/mx-golden';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { expectSameBits } from '../../test/expect-same-bits.js';
import { normals } from '../../test/values.js';
import {
  type BlockFormat,
  dequantize,
  type ElementFormat,
  elementFormats,
  fakeQuantize,
  formats,
  type Kernels,
  kernelsInUse,
  MxFormatError,
  type QuantizeOptions,
  quantize,
  type Rounding,
  roundings,
  type ScaleMode,
  scaleModes,
  useKernels,
} from '../index.js';
import { fewValues } from '../kernels.js';

const e3m3: ElementFormat = { ...elementFormats.e3m2, name: 'e3m3', bits: 7, mantissaBits: 3, largest: 30 };
const e3m0: ElementFormat = { ...elementFormats.e3m2, name: 'e3m0', bits: 4, mantissaBits: 0, largest: 16 };
const int4: ElementFormat = { ...elementFormats.int8, name: 'int4', bits: 4, mantissaBits: 2, largest: 7 / 4 };
const ieeeE4m3: ElementFormat = { ...elementFormats.e4m3, name: 'ieee', emax: 7, largest: 240, hasInfinity: true };
const ternary: ElementFormat = { ...elementFormats.int8, name: 'ternary', bits: 2, mantissaBits: 0, largest: 1 };
const custom = [e3m3, e3m0, int4, ieeeE4m3, ternary].flatMap((element) =>
  ['e8m0', 'e4m3'].map((scale): BlockFormat => ({ name: `${element.name}_${scale}`, element, blockSize: 32, scale })),
);
const allFormats = [...Object.values(formats), ...custom];

afterEach(() => useKernels('wasm'));

function under<Result>(kernels: Kernels, act: () => Result): Result {
  useKernels(kernels);
  return act();
}

const bitsOf = (values: Float32Array) => new Int32Array(values.buffer, values.byteOffset, values.length);

function expectSame(values: Float32Array, options: QuantizeOptions): void {
  const plain = under('plain', () => ({ rounded: fakeQuantize(values, options), tensor: quantize(values, options) }));
  const wasm = under('wasm', () => ({ rounded: fakeQuantize(values, options), tensor: quantize(values, options) }));
  expectSameBits(wasm.rounded, plain.rounded, 'rounded');
  expectSameBits(wasm.tensor.scales, plain.tensor.scales, 'scales');
  expectSameBits(wasm.tensor.codes, plain.tensor.codes, 'codes');
  expect(wasm.tensor.tensorScale).toBe(plain.tensor.tensorScale);
  expectSameBits(
    under('plain', () => dequantize(plain.tensor)),
    plain.rounded,
    'dequantized',
  );
  expectSameBits(
    under('wasm', () => dequantize(plain.tensor)),
    plain.rounded,
    'dequantized by WebAssembly',
  );
}

const allEdges = goldenValues('edges');

/** Ties and their neighbours from all binades, with zeros, subnormals, and now and then what is not finite. */
function hardValues(count: number, seed: number, spread: boolean, notFinite: boolean): Float32Array {
  const first = spread ? (seed * 7919) % (allEdges.length - count) : 512 * (100 + (seed % 50));
  const values = allEdges.slice(first, first + count);
  if (notFinite) for (let i = seed % 97; i < count; i += 97) values[i] = [Number.NaN, Infinity, -Infinity, -0][i % 4]!;
  if (seed % 3 === 0) for (let i = 0; i < count; i++) if ((i >> 5) % 3 === 0) values[i] = seed % 2 === 0 ? 0 : -0;
  return values;
}

describe('the WebAssembly kernels', () => {
  it('are in use here', () => {
    expect(kernelsInUse()).toBe('wasm');
  });

  it.each(allFormats.map((format) => [format.name, format] as const))(
    'have the bits of the plain ones in %s, whatever the shape, axis, block size, rounding and scale mode',
    (_, format) => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
          fc.nat(2),
          fc.constantFrom(1, 2, 3, 4, 7, 8, 16, 32, 33, 64),
          fc.constantFrom<Rounding>(...roundings),
          fc.constantFrom<ScaleMode>(...scaleModes),
          fc.record({ seed: fc.nat(10 ** 6), spread: fc.boolean(), notFinite: fc.boolean() }),
          (sizes, axis, blockSize, rounding, scaleMode, { seed, spread, notFinite }) => {
            // Enough values for the kernels to be chosen at all.
            const shape = [...sizes, Math.ceil(fewValues / sizes.reduce((a, b) => a * b))];
            const values = hardValues(
              shape.reduce((a, b) => a * b),
              seed,
              spread,
              notFinite,
            );
            const options = { format, shape, axis: axis % shape.length, blockSize, rounding, seed };
            expectSame(values, format.scale === 'e8m0' ? { ...options, scaleMode } : options);
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  const large: [string, readonly number[], number, number][] = [
    ['rows that are cut into pieces', [3, 20000], 1, 32],
    ['rows that are cut at odd places', [2, 20001], 1, 7],
    ['blocks larger than a piece', [2, 30000], 1, 10001],
    ['a block too large for the kernels', [1, 300000], 1, 300000],
    ['odd rows, which share bytes', [5000, 33], 1, 32],
    ['long odd rows', [20, 4099], 1, 32],
    ['columns taken together', [100, 12, 6], 1, 3],
    ['columns with a short last block', [3, 45, 129], 1, 32],
    ['more columns than fit at once', [40, 9001], 0, 32],
    ['a column of blocks too tall for the kernels', [70000, 4], 0, 70000],
    ['two columns', [400, 2], 0, 32],
    ['a single column', [400, 1], 0, 32],
  ];
  it.each(large)('have the bits of the plain ones on %s', (_, shape, axis, blockSize) => {
    const values = normals(
      shape.reduce((a, b) => a * b),
      77,
    );
    for (const format of ['mxfp6_e3m2', 'mxfp4_e2m1', 'mxint8'] as const) {
      expectSame(values, { format, shape, axis, blockSize });
      expectSame(values, { format, shape, axis, blockSize, rounding: 'stochastic', seed: 2 ** 45 + 3 });
    }
    expectSame(values, { format: 'nvfp4', shape, axis, blockSize, rounding: 'stochastic', seed: 5 });
  });

  it.each(Object.entries(formats))(
    'have the bits of the plain ones in %s on rows of whole fours of blocks, and some left over',
    (_, format) => {
      for (let seed = 0; seed < 6; seed++) {
        const values = hardValues(5 * 352, seed, seed % 2 === 0, seed > 2);
        for (const rounding of roundings) expectSame(values, { format, shape: [5, 352], axis: 1, rounding, seed });
      }
    },
  );

  it('decode any codes and scales as the plain ones do, infinities and NaNs among them', () => {
    for (const format of allFormats) {
      for (const axis of [0, 1]) {
        const shape = [96, 37];
        const count = 96 * 37;
        const random = bitsOf(allEdges.slice(4096, 4096 + count));
        const scales = axis === 0 ? 3 * 37 : 96 * 2;
        const codes = Uint8Array.from(random.subarray(0, Math.ceil((count * format.element.bits) / 8)), (w) => w >> 13);
        const tensor = {
          format,
          shape,
          axis,
          blockSize: 32,
          scales: Uint8Array.from(random.subarray(0, scales), (word) => word >> 11),
          codes,
          tensorScale: format.scale === 'e8m0' ? 1 : 0.125,
        };
        const plain = under('plain', () => dequantize(tensor));
        expectSameBits(
          under('wasm', () => dequantize(tensor)),
          plain,
          format.name,
        );
      }
    }
  });

  it('read and write views at any offset of a larger buffer, in place', () => {
    const whole = new Float32Array(1000).fill(9);
    const view = whole.subarray(33, 33 + 640);
    view.set(normals(640, 4));
    const expected = under('plain', () => fakeQuantize(view, { format: 'mxfp4_e2m1' }));
    expect(under('wasm', () => fakeQuantize(view, { format: 'mxfp4_e2m1' }, view))).toBe(view);
    expect(view).toEqual(expected);
    expect([whole[32], whole[33 + 640]]).toEqual([9, 9]);
  });

  it('are chosen by name, and refused under another', () => {
    expect(under('plain', kernelsInUse)).toBe('plain');
    expect(() => useKernels('simd' as Kernels)).toThrow(MxFormatError);
  });
});
