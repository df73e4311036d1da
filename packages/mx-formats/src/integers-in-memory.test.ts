import { describe, expect, it } from 'vitest';
import { normals } from '../test/values.js';
import {
  type BlockFormat,
  decodeElement,
  elementFormats,
  formats,
  type InMemoryKernels,
  kernelModule,
  planInMemory,
  type QuantizeOptions,
  quantize,
  roundings,
  scaleModes,
  unpack,
} from './index.js';
import { philoxWords } from './philox.js';

/** The part that is used of WebAssembly's own interface. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const memory = new WebAssembly.Memory({ initial: 40, maximum: 40 });
const kernels = new WebAssembly.Instance(new WebAssembly.Module(kernelModule()), { env: { memory } })
  .exports as InMemoryKernels;
kernels.initialize(1024);

const at = { settings: 4096, source: 8192, codes: 8192 + 2 ** 19, scales: 8192 + 3 * 2 ** 18, words: 8192 + 2 ** 20 };
const parts = 6144;
const key = { seed: 7, stream: 1, step: 2, sample: 3 };

/** Rows in two parts, the later one first, with marks around what is written. */
function encodeInMemory(values: Float32Array, rows: number, length: number, wide: boolean, options: QuantizeOptions) {
  const { format, ...rest } = options as QuantizeOptions & { format: BlockFormat };
  const plan = planInMemory(values.length, { format, ...rest, shape: [rows, length], axis: 1 });
  const blocks = Math.ceil(length / format.blockSize);
  const padded = Math.ceil(length / 16) * 16;
  const bytes = new Uint8Array(memory.buffer);
  const integers = new Int32Array(memory.buffer);
  new Float32Array(memory.buffer, at.source, values.length).set(values);
  bytes.fill(0xa5, at.codes - 16, at.words);
  if (plan.stochastic) {
    philoxWords(options.key!, 0, values.length, integers.subarray(at.words / 4, at.words / 4 + values.length + 4));
  }
  kernels.largestInMemory(0, 1, at.source, parts, values.length, values.length);
  integers.set(plan.settings(integers[parts / 4]), at.settings / 4);
  const cut = Math.ceil(rows / 2);
  for (const [from, to] of [[cut, rows] as const, [0, cut] as const]) {
    kernels.encodeIntegersInMemory(
      from,
      to,
      at.settings,
      at.source,
      at.codes,
      at.scales,
      at.words,
      length,
      blocks,
      wide,
    );
  }
  const size = rows * padded;
  const end = at.codes + size * (wide ? 2 : 1);
  const e8m0 = format.scale === 'e8m0';
  const scaleEnd = at.scales + rows * blocks * (e8m0 ? 1 : 4);
  for (const mark of [at.codes - 1, end, scaleEnd]) expect(bytes[mark]).toBe(0xa5);
  const codes = wide ? new Int16Array(memory.buffer, at.codes, size) : new Int8Array(memory.buffer, at.codes, size);
  return {
    codes: Array.from(codes),
    padded,
    scales: Array.from(
      e8m0 ? bytes.subarray(at.scales, scaleEnd) : new Float32Array(memory.buffer, at.scales, rows * blocks),
    ),
  };
}

describe('encodeIntegersInMemory', () => {
  const exact = [formats.mxfp4_e2m1, formats.mxfp6_e2m3, formats.mxfp6_e3m2, formats.mxint8, formats.nvfp4];
  const ownSizes = [5, 24, 48].map((blockSize) => ({ ...formats.mxfp6_e2m3, name: `e2m3_${blockSize}`, blockSize }));

  it.each([...exact, ...ownSizes].map((format) => [format.name, format] as const))(
    'gives the codes of quantize as integers, in %s',
    (_, format) => {
      const { element } = format;
      const unit = element.kind === 'int' ? 2 ** -element.mantissaBits : 2 ** (element.emin - element.mantissaBits);
      for (const wide of element.name === 'e3m2' ? [true] : [false, true]) {
        for (const [rows, length] of [
          [5, 64],
          [7, 75],
          [3, 1],
          [4, 33],
        ] as const) {
          const values = normals(rows * length, 3);
          // Neighbouring rows far apart, blocks that the vectors leave out, zeros, and some that are not finite.
          values.forEach((value, i) => {
            const row = Math.floor(i / length);
            values[i] = value * 2 ** ([0, -124, 100, -20, -140, 30, -118][row % 7] ?? 0);
          });
          values.fill(0, 0, Math.min(40, length));
          if (length > 60) {
            values[length + 3] = -0;
            values[2 * length + 40] = Number.NaN;
            values[3 * length + 1] = Infinity;
          }
          for (const rounding of roundings) {
            for (const scaleMode of format.scale === 'e8m0' ? scaleModes : (['floor'] as const)) {
              const options = { format, rounding, scaleMode, key };
              const { codes, padded, scales } = encodeInMemory(values, rows, length, wide, options);
              const want = quantize(values, { ...options, shape: [rows, length], axis: 1 });
              const plain = unpack(want.codes, element.bits, values.length);
              const integers = Array.from({ length: rows * padded }, (_, i) => {
                const column = i % padded;
                return column < length
                  ? decodeElement(plain[Math.floor(i / padded) * length + column]!, element) / unit + 0
                  : 0;
              });
              expect(codes).toEqual(integers);
              const e4m3 = (byte: number) => decodeElement(byte, elementFormats.e4m3);
              expect(scales).toEqual(Array.from(want.scales, (byte) => (format.scale === 'e8m0' ? byte : e4m3(byte))));
            }
          }
        }
      }
    },
  );
});
