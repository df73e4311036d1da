import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { type ElementKernels, loadNative, type Native, NativeError } from '../src/index.js';
import { nothingToTest } from './levels.js';

const bytes = 4096;
/** Where operands begin: each has 64 words. */
const [a, b, c, d, e, f, g, h] = [0, 256, 512, 768, 1024, 1280, 1536, 1792];
/** 17 words of a format, and a sample of an update. */
const [settings, table] = [2048, 2304];
const key = [1, 2, 3, 4, 5];

type Task = readonly (number | boolean)[];

/** A right task of each kernel, the places of its operands, and changes of other arguments that are wrong. */
const tasks: Readonly<
  Record<keyof ElementKernels, readonly [Task, operands: readonly number[], ...(readonly [number, number])[]]>
> = {
  unary: [
    [0, 64, 3, a, b],
    [3, 4],
    [2, 14],
    [2, -1],
    [1, 1e9],
  ],
  geluExact: [
    [0, 64, a, b],
    [2, 3],
    [0, -1],
    [1, 1.5],
  ],
  geluExactGradient: [
    [0, 64, a, b, c],
    [2, 3, 4],
  ],
  geluTanh: [
    [0, 64, a, b],
    [2, 3],
  ],
  geluTanhGradient: [
    [0, 64, a, b, c],
    [2, 3, 4],
  ],
  random: [[0, 64, 2, a, ...key], [3], [0, 2], [2, 3], [4, 2 ** 32], [8, Number.NaN]],
  lmdDraw: [
    [0, 64, a, b, c, 0.1, ...key],
    [2, 3, 4],
    [0, 5],
    [6, 2 ** 33],
  ],
  lmdUpdate: [
    [0, 64, a, b, c, d, e, f, g, h, table, 1, 1, 0.1, 0.1, 0.9, 0.1, 0.9, 0.1, 0.1, 0, 0, true],
    [2, 3, 4, 5, 6, 7, 8, 9, 10],
    [11, 1e6],
    [20, 4],
    [0, 3],
  ],
  adamwUpdate: [
    [0, 64, a, b, c, d, e, f, g, 0.9, 0.1, 0.9, 0.1, 0.1, 1, 0.1, 1],
    [2, 3, 4, 5, 6, 7, 8],
  ],
  softmax: [
    [0, 8, a, b, 8, 1, 1, false],
    [2, 3],
    [4, 0],
    [4, 2 ** 31],
    [5, 0],
  ],
  softmaxGradient: [
    [0, 8, a, b, c, 8, 1],
    [2, 3, 4],
    [5, 0],
  ],
  crossEntropy: [
    [0, 8, a, b, c, 8],
    [2, 3, 4],
    [5, 0],
  ],
  crossEntropyGradient: [
    [0, 8, a, b, c, d, 8],
    [2, 3, 4, 5],
    [6, 0],
  ],
  layerNorm: [
    [0, 8, a, b, c, d, 8, 1e-5],
    [2, 3, 4, 5],
    [6, 0],
  ],
  layerNormGradient: [
    [0, 1, a, b, c, d, e, f, 8, 8, 1e-5],
    [2, 3, 4, 5, 6, 7],
    [9, 0],
    [1, 2],
    [6, e + 4],
  ],
  encodeIntegersInMemory: [
    [0, 2, settings, a, b, c, d, 32, 1, false],
    [2, 3, 4, 5],
    [7, 0],
    [8, 2],
  ],
  encodeIntegersOfColumns: [
    [0, 1, settings, a, b, c, d, 32, 1, false, 2],
    [2, 3, 4, 5],
    [7, 0],
    [8, 2],
    [10, 0],
  ],
  decodeOperand: [
    [0, 2, a, b, c, 32, 32, false, false, 1, 1],
    [2, 3, 4],
    [5, 0],
    [6, 0],
  ],
  roundRowsInMemory: [
    [0, 2, settings, a, b, c, 32],
    [2, 3, 4],
    [6, 0],
  ],
  codedAttention: [
    [0, 2, a, b, c, 2, 2, 8, 8, 0, 1, 0, 1],
    [2, 3, 4],
    [5, 0],
    [6, 0],
    [6, 65537],
    [7, 1025],
    [8, 9],
    [9, 3],
    [10, 8],
    [11, 65],
  ],
  packedRowProducts: [
    [0, 2, 0, a, b, settings, 1, 1, c, d, 1, 2],
    [3, 4, 5, 8, 9],
    [2, 6],
    [6, 16],
    [7, 0],
    [11, 1],
  ],
  turnMatrices: [
    [0, 2, a, c, 8, 8, 8, 16, 1, 64, 0, 8, 0],
    [2, 3],
    [4, 0],
    [5, 0],
    [6, 1e6],
    [7, 1e6],
    [8, 0],
    [9, 1e6],
    [11, -1],
  ],
  roundSlabsInMemory: [
    [0, 2, settings, a, b, c, 32, 1, 1],
    [2, 3, 4],
    [6, 0],
    [7, 2],
    [8, 0],
  ],
};

function memory(): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes);
  const words = [6, 3, 0, 2, 1, 0x40f00000, 31, 0, 0, 0, 0, 0, 0x7fffff, 0, 32, 0, 0x3f800000];
  new Int32Array(buffer, settings, 17).set(words);
  new Uint32Array(buffer, table, 6).set([a, ...key]);
  return buffer;
}

const { native } = loadNative();
if (nothingToTest !== undefined || native === undefined) it.skip(`native bounds: ${nothingToTest}`, () => {});
else if (native.level === 'scalar') it.skip('plain C has products alone', () => {});
else {
  const { binary, level, fused } = (native as Native).source;
  const addOn = createRequire(import.meta.url)(binary) as {
    open(level: string, fused: boolean): Record<string, (memory: Uint8Array, ...task: Task) => void>;
  };
  const raw = addOn.open(level, fused);

  // A level may lack kernels in which WebAssembly is as fast.
  const offered = Object.entries(tasks).filter(([name]) => name in raw);

  describe.each(offered)('%s', (name, [task, operands, ...wrong]) => {
    const checked = (buffer: ArrayBuffer) =>
      native.kernels({ buffer })[name as keyof ElementKernels] as (...task: Task) => void;

    it('works on what lies within the memory, and where there is nothing to do', () => {
      checked(memory())(...task);
      checked(memory())(0, 0, ...task.slice(2));
    });

    // Codes and scales are bytes.
    const last = /^(en|de)code|^packed|^coded/.test(name) ? bytes - 1 : bytes - 4;
    const changes: readonly (readonly [number, number])[] = [
      ...operands.flatMap(
        (place) =>
          [
            [place, last],
            [place, -64],
            [place, Number.NaN],
            [place, 2 ** 32],
          ] as const,
      ),
      ...wrong,
    ];
    it.each(changes)('refuses argument %i of %d, in TypeScript and again in C', (place, value) => {
      const changed = task.map((own, i) => (i === place ? value : own));
      expect(() => checked(memory())(...changed)).toThrow(NativeError);
      expect(() => raw[name]!(new Uint8Array(memory()), ...changed)).toThrow(RangeError);
    });
  });

  it('refuses samples whose gradients do not lie within the memory', () => {
    for (const address of [bytes - 4, 2]) {
      const buffer = memory();
      new Uint32Array(buffer, table, 1)[0] = address;
      const task = tasks.lmdUpdate[0];
      expect(() => (native.kernels({ buffer }).lmdUpdate as (...task: Task) => void)(...task)).toThrow(NativeError);
      expect(() => raw.lmdUpdate!(new Uint8Array(buffer), ...task)).toThrow(RangeError);
    }
  });

  it('refuses the settings of no format', () => {
    for (const [place, value] of [
      [13, 4],
      [14, 0],
    ] as const) {
      const buffer = memory();
      new Int32Array(buffer, settings, 17)[place] = value;
      const task = tasks.roundRowsInMemory[0];
      expect(() => (native.kernels({ buffer }).roundRowsInMemory as (...task: Task) => void)(...task)).toThrow(
        NativeError,
      );
      expect(() => raw.roundRowsInMemory!(new Uint8Array(buffer), ...task)).toThrow(RangeError);
    }
  });
}
