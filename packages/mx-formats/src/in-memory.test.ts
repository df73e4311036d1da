import { describe, expect, it } from 'vitest';
import { expectSameBits } from '../test/expect-same-bits.js';
import { normals } from '../test/values.js';
import { fakeQuantize, type InMemoryKernels, kernelModule, planInMemory, type QuantizeOptions } from './index.js';
import { philoxWords } from './philox.js';

/** The part that is used of WebAssembly's own interface. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const memory = new WebAssembly.Memory({ initial: 40, maximum: 40 });
const module = new WebAssembly.Module(kernelModule());
/** Two instances, as two threads would have. */
const instances = [0, 1].map((i) => {
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as InMemoryKernels;
  kernels.initialize(1024 + i * kernels.workspaceBytes());
  return kernels;
});

const at = { settings: 4096, source: 8192, target: 8192 + 2 ** 19, words: 8192 + 2 ** 20, parts: 6144 };
const sentinel = 0x5eedf00d;
const key = { seed: 7, stream: 1, step: 2, sample: 3 };

/** Rounds by parts, the later ones first, and looks at what lies around the result. */
function roundInMemory(values: Float32Array, options: QuantizeOptions): Float32Array {
  const count = values.length;
  const integers = new Int32Array(memory.buffer);
  const plan = planInMemory(count, options);
  new Float32Array(memory.buffer, at.source, count).set(values);
  integers.fill(sentinel, at.target / 4 - 4, at.target / 4 + count + 16);
  if (plan.stochastic) philoxWords(options.key!, 0, count, integers.subarray(at.words / 4, at.words / 4 + count + 4));
  let largest = 0;
  if (plan.needsLargest) {
    const partSize = 100;
    const parts = Math.ceil(count / partSize);
    instances[0]!.largestInMemory(0, parts, at.source, at.parts, count, partSize);
    largest = Math.max(0, ...integers.subarray(at.parts / 4, at.parts / 4 + parts));
  }
  integers.set(plan.settings(largest), at.settings / 4);
  const cut = Math.ceil(plan.total / 3);
  for (const [part, [from, to]] of [
    [2 * cut, plan.total],
    [cut, 2 * cut],
    [0, cut],
  ].entries()) {
    const end = Math.min(to!, plan.total);
    if (from! >= end) continue;
    const kernel = instances[part % 2]![plan.kernel] as (...rest: number[]) => void;
    kernel(from!, end, at.settings, at.source, at.target, at.words, ...plan.shape);
  }
  expect(integers.subarray(at.target / 4 - 4, at.target / 4).every((word) => word === sentinel)).toBe(true);
  const after = at.target / 4 + count;
  expect(integers.subarray(after, after + 16).every((word) => word === sentinel)).toBe(true);
  return new Float32Array(memory.buffer, at.target, count).slice();
}

describe('planInMemory', () => {
  const shapes: readonly (readonly [readonly number[], number])[] = [
    [[7, 64], 1],
    [[9, 197], 1],
    [[5, 3], 1],
    [[1000], 0],
    [[1024], 0],
    [[197, 9], 0],
    [[64, 50], 0],
    [[3, 70, 17], 1],
    [[2, 33, 3], 1],
    [[0, 4], 1],
  ];
  const formats = ['mxfp6_e3m2', 'mxfp8_e4m3', 'mxfp4_e2m1', 'mxint8', 'nvfp4'] as const;

  it.each(shapes)(
    'gives the bits of fakeQuantize, and writes nothing else, for the shape [%s] along %i',
    (shape, axis) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const values = normals(count, 3);
      // Blocks that the vector kernels leave out: tiny, all zero, not finite.
      for (let i = 0; i < Math.min(count, 40); i++) values[i]! *= 2 ** -130;
      if (count > 400) {
        values.fill(0, 100, 170);
        values[300] = Number.NaN;
      }
      for (const format of formats) {
        for (const rounding of ['nearestEven', 'towardZero', 'stochastic'] as const) {
          for (const blockSize of [undefined, 6]) {
            const options = { format, shape, axis, rounding, key, ...(blockSize === undefined ? {} : { blockSize }) };
            expectSameBits(roundInMemory(values, options), fakeQuantize(values, options));
          }
        }
      }
    },
  );

  it('takes a tensor scale that is known, and refuses what fakeQuantize refuses', () => {
    const values = normals(256, 5);
    const options = { format: 'nvfp4', tensorScale: 0.25 } as const;
    expect(planInMemory(256, options).needsLargest).toBe(false);
    expectSameBits(roundInMemory(values, options), fakeQuantize(values, options));
    expect(() => planInMemory(5, { format: 'nvfp4', shape: [4] })).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });
});
