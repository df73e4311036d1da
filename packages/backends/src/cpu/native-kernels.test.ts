import { planInMemory, type QuantizeOptions } from '@lmd/mx-formats';
import { type ElementKernels, levels, loadNative, type Native } from '@lmd/native';
import { describe, expect, it } from 'vitest';
import { type Arithmetic, startWasm, type WasmInstance } from './wasm/instance.js';
import type { Kernels } from './wasm/kernels.js';
import { CodedKind, UnaryOperation } from './wasm/numbers.js';

/** Random numbers from a seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const special = [
  0,
  -0,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  2 ** -149,
  -(2 ** -130),
  2 ** 127,
];

/** A kernel over [0, total), with its other arguments. */
interface Call {
  readonly name: keyof ElementKernels;
  readonly total: number;
  readonly task: readonly (number | boolean)[];
}

/**
 * Puts operands into a memory, runs a kernel of WebAssembly and the native one of that name, and compares what they
 * write.
 */
class Pair {
  readonly random: () => number;
  readonly #wasm: WasmInstance;
  readonly #native: Partial<ElementKernels>;
  #free: number;

  constructor(wasm: WasmInstance, native: Native, seed: number) {
    this.#wasm = wasm;
    this.#native = native.kernels(wasm.memory);
    this.random = generator(seed);
    this.#free = Math.ceil(wasm.firstFree / 64) * 64;
  }

  integer(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!;
  }

  /** Room for `count` words, and some at the end that whole vectors reach. */
  room(count: number): number {
    const at = this.#free;
    this.#free += Math.ceil((4 * count + 64) / 64) * 64;
    const missing = this.#free + 64 - this.#wasm.memory.buffer.byteLength;
    if (missing > 0) this.#wasm.memory.grow(Math.ceil(missing / 65_536));
    return at;
  }

  put(values: ArrayLike<number>, kind: 'f32' | 'i32' = 'f32'): number {
    const at = this.room(values.length);
    const View = kind === 'f32' ? Float32Array : Int32Array;
    new View(this.#wasm.memory.buffer as ArrayBuffer, at, values.length).set(values);
    return at;
  }

  /** Whether the level has a kernel. */
  has(name: keyof ElementKernels): boolean {
    return this.#native[name] !== undefined;
  }

  settings(at: number): Int32Array {
    return new Int32Array(this.#wasm.memory.buffer, at, 17);
  }

  /** Numbers of both signs around `scale`; of special ones where `wild`, and of any bits. */
  floats(count: number, scale: number, wild = false): number {
    const values = Float32Array.from({ length: count }, () => {
      if (wild && this.random() < 0.1) return this.pick(special);
      if (wild && this.random() < 0.2) return (this.random() - 0.5) * 2 ** this.integer(-149, 127);
      return (this.random() + this.random() + this.random() - 1.5) * 2 * scale;
    });
    return this.put(values);
  }

  /** Matrices [rows, columns] of words, transposed. */
  turned(at: number, matrices: number, rows: number, columns: number): number {
    const size = rows * columns;
    const to = this.room(matrices * size);
    const { buffer } = this.#wasm.memory;
    const [source, target] = [at, to].map((start) => new Int32Array(buffer, start, matrices * size)) as [
      Int32Array,
      Int32Array,
    ];
    for (let i = 0; i < matrices * size; i++) {
      const [matrix, row, column] = [Math.floor(i / size), Math.floor((i % size) / columns), i % columns];
      target[matrix * size + column * rows + row] = source[i]!;
    }
    return to;
  }

  /** Both kernels, with `out` in place of each operand in `outs` ([place, words]); whether they write the same. */
  same<Name extends keyof ElementKernels>(
    name: Name,
    total: number,
    unit: number,
    outs: Readonly<Record<number, number>>,
    ...task: readonly (number | boolean)[]
  ): void {
    this.sameAs({ name, total, task }, { name, total, task }, outs, unit);
  }

  /** The same of a kernel of WebAssembly and another native one, which write to the same places. */
  sameAs(wasm: Call, native: Call, outs: Readonly<Record<number, number>>, unit = 1): void {
    const { name, task } = native;
    const calls = [wasm, native] as const;
    const results = [this.#wasm.kernels, this.#native].map((kernels, side) => {
      const { name, total, task } = calls[side]!;
      const own = [...task];
      const rooms = Object.entries(outs).map(([place, words]) => {
        const at = this.room(words);
        new Int32Array(this.#wasm.memory.buffer, at, words + 16).fill(0x5bd1e995);
        own[Number(place)] = at;
        return [at, words] as const;
      });
      const kernel = kernels[name] as unknown as (...task: readonly (number | boolean)[]) => void;
      // In two parts, natively.
      const middle = side === 0 ? 0 : Math.min(total, this.integer(0, Math.floor(total / unit)) * unit);
      if (middle > 0) kernel(0, middle, ...own);
      if (middle < total || total === 0) kernel(middle, total, ...own);
      return rooms;
    });
    Object.keys(outs).forEach((place, i) => {
      const [[want, words], [got]] = [results[0]![i]!, results[1]![i]!];
      const { buffer } = this.#wasm.memory;
      const bits = [want, got].map((at) => new Int32Array(buffer, at, words + 16)) as [Int32Array, Int32Array];
      for (let word = 0; word < words; word++) {
        if (bits[0][word] === bits[1][word]) continue;
        const [a, b] = bits.map((one) => new Float32Array(one.buffer, one.byteOffset, words)[word]!) as [
          number,
          number,
        ];
        if (Number.isNaN(a) && Number.isNaN(b)) continue;
        expect.fail(`${name}, operand ${place}, word ${word} of ${words}: ${b} is not ${a}; task ${task.join()}`);
      }
      const beyond = bits[1].subarray(words).findIndex((word) => word !== 0x5bd1e995);
      if (beyond >= 0) expect.fail(`${name} writes ${beyond} words beyond operand ${place}`);
    });
  }
}

type Case = (pair: Pair, run: number) => void;

const count = (pair: Pair) => pair.integer(1, 300);
const key = (pair: Pair) => [0, 1, 2, 3, 4].map(() => pair.integer(0, 2 ** 32 - 1));
const sizes = [1, 2, 3, 4, 5, 7, 8, 11, 12, 15, 16, 17, 23, 31, 32, 33, 47, 64, 65, 100, 192, 257, 511, 512, 513, 1030];

const fusedCases: Readonly<Record<string, Case>> = {
  unary(pair, run) {
    const n = count(pair);
    const operation = run % (UnaryOperation.toFloat + 1);
    const x =
      operation === UnaryOperation.toFloat
        ? pair.put(
            Int32Array.from({ length: n }, () => pair.integer(-(2 ** 31), 2 ** 31 - 1) >> pair.integer(0, 31)),
            'i32',
          )
        : pair.floats(n, pair.pick([0.1, 1, 3, 30, 300]), true);
    pair.same('unary', n, 16, { 2: n }, operation, x, 0);
  },
  gelu(pair, run) {
    const n = count(pair);
    const x = pair.floats(n, pair.pick([0.1, 1, 4]), run % 3 === 0);
    const [forward, gradient] =
      run % 2 === 0 ? (['geluExact', 'geluExactGradient'] as const) : (['geluTanh', 'geluTanhGradient'] as const);
    pair.same(forward, n, 16, { 1: n }, x, 0);
    pair.same(gradient, n, 16, { 2: n }, x, pair.floats(n, 1), 0);
  },
  random(pair, run) {
    const n = pair.integer(1, 3000);
    pair.same('random', n, 16, { 1: n }, run % 3, 0, ...key(pair));
  },
  lmdDraw(pair, run) {
    const n = pair.integer(1, 3000);
    const [plus, minus] = [pair.floats(n, pair.pick([2, 60]), run % 5 === 0), pair.floats(n, 2)];
    pair.same('lmdDraw', n, 1024, { 2: n }, plus, minus, 0, pair.pick([0, 0.05, 1]), ...key(pair));
  },
  lmdUpdate(pair, run) {
    const n = pair.integer(1, 2500);
    const samples = pair.integer(1, 3);
    const scaled = run % 3 !== 0;
    const table = Array.from({ length: samples }, () => [pair.floats(n, 1, run % 7 === 0), ...key(pair)]).flat();
    const [logPlus, logMinus] = [pair.floats(n, 2), pair.floats(n, 2)];
    const momenta = [pair.floats(n, 1), scaled ? pair.floats(n, 1) : 0];
    const outs = scaled ? { 4: n, 5: n, 6: n, 7: n } : { 4: n, 5: n, 6: n };
    const numbers = [1 / samples, pair.pick([0, 0.1]), 1e-2, 0.9, 0.1, 0.99, 0.01, 0.3, run % 4, -0.7];
    const rest = [pair.put(Uint32Array.from(table) as unknown as number[], 'i32'), samples, ...numbers, run % 2 === 0];
    pair.same('lmdUpdate', n, 1024, outs, logPlus, logMinus, ...momenta, 0, 0, 0, 0, ...rest);
  },
  codedAttention(pair, run) {
    const [kind, mantissaBits, emin] = pair.pick([
      [CodedKind.nibbles, 1, 0],
      [CodedKind.bytes, 2, -2],
      [CodedKind.bytes, 3, -6],
      [CodedKind.bytes, 2, -14],
      [CodedKind.integers, 6, 0],
    ] as const);
    const [heads, matrices, keys] = [pair.integer(1, 3), pair.integer(1, 2), pair.integer(1, 70)];
    const width = pair.pick(sizes.slice(0, 21));
    const size = Math.min(width, pair.pick([4, 16, 20, 32, 64]));
    const [blocks, blockBytes] = [
      Math.ceil(width / size),
      16 * Math.ceil(size / (kind === CodedKind.nibbles ? 32 : 16)),
    ];
    const rowBytes = 4 * Math.ceil((blocks * (blockBytes + 1)) / 4);
    const codes = new Uint8Array(2 * matrices * heads * keys * rowBytes).map(() => pair.integer(0, 255));
    for (let at = blocks * blockBytes; at < codes.length; at += rowBytes) {
      // A NaN now and then, and both ends.
      const byte = () => (run % 9 === 0 && pair.random() < 0.01 ? 255 : pair.pick([0, 110, 120, 124, 126, 128, 130]));
      for (let block = 0; block < blocks; block++) codes[at + block] = byte();
    }
    const at = pair.put(new Int32Array(codes.buffer), 'i32');
    const [total, query] = [matrices * heads, pair.floats(matrices * heads * width, 1)];
    const layout = [heads, keys, width, size, kind, mantissaBits, emin];
    pair.same('codedAttention', total, 1, { 2: total * width }, query, at, 0, ...layout, pair.pick([0.1, 1]));
  },
  packedRowProducts(pair, run) {
    if (!pair.has('packedRowProducts')) return;
    const [kind, shift] = [run % 6, pair.integer(0, 3)];
    const [rows, m, chunks] = [pair.integer(1, 13), pair.integer(1, 4), pair.integer(1, 5)];
    const bytes = (count: number) =>
      pair.put(
        Int32Array.from({ length: Math.ceil(count / 4) }, () => pair.integer(-(2 ** 31), 2 ** 31 - 1)),
        'i32',
      );
    const tables = pair.put([...Array.from({ length: 256 }, () => 2 ** pair.integer(-20, 20)), ...Array(12).fill(0)]);
    // Small corrections of bfloat16 numbers, and what to add.
    pair.settings(tables + 4 * 256).set(Array.from({ length: 8 }, () => pair.integer(0, 2 ** 30)));
    pair.settings(tables + 4 * 264)[0] = 120 << 7;
    const blocks = Math.ceil((4 * chunks) / 2 ** shift);
    const operands = [bytes(rows * chunks * 64), bytes(rows * blocks), tables, shift, chunks];
    const x = pair.floats(m * chunks * 64, 1);
    pair.same('packedRowProducts', rows, 1, { 7: m * rows }, kind, ...operands, x, 0, m, rows);
  },
  adamwUpdate(pair) {
    const n = count(pair);
    const second = pair.put(Float32Array.from({ length: n }, () => pair.random() ** 4));
    const operands = [pair.floats(n, 1), pair.floats(n, 1), second, pair.floats(n, 1)];
    pair.same(
      'adamwUpdate',
      n,
      16,
      { 4: n, 5: n, 6: n },
      ...operands,
      0,
      0,
      0,
      0.9,
      0.1,
      0.999,
      1e-3,
      1e-3,
      1.3,
      1e-8,
      0.99,
    );
  },
  softmax(pair, run) {
    const [rows, width] = [pair.integer(1, 9), pair.pick(sizes)];
    const x = pair.floats(rows * width, pair.pick([1, 20, 80]), run % 8 === 0);
    const [scale, causal] = [pair.pick([1, 0.125, 0.3]), run % 2 === 0];
    pair.same('softmax', rows, 1, { 1: rows * width }, x, 0, width, causal ? pair.integer(1, rows) : 1, scale, causal);
    const [y, dy] = [pair.floats(rows * width, 1), pair.floats(rows * width, 1)];
    pair.same('softmaxGradient', rows, 1, { 2: rows * width }, y, dy, 0, width, scale);
  },
  crossEntropy(pair, run) {
    const [rows, classes] = [pair.integer(1, 9), pair.pick(sizes)];
    const logits = pair.floats(rows * classes, pair.pick([1, 20]), run % 8 === 0);
    const labels = pair.put(
      Int32Array.from({ length: rows }, () => pair.integer(run % 5 === 0 ? -1 : 0, classes - (run % 5 === 0 ? 0 : 1))),
      'i32',
    );
    pair.same('crossEntropy', rows, 1, { 2: rows }, logits, labels, 0, classes);
    const dy = pair.floats(rows, 1);
    pair.same('crossEntropyGradient', rows, 1, { 3: rows * classes }, logits, labels, dy, 0, classes);
  },
  layerNorm(pair, run) {
    const [rows, width] = [pair.integer(1, 9), pair.pick(sizes)];
    const x = pair.floats(rows * width, 2, run % 8 === 0);
    const [gain, bias] = [pair.floats(width, 1), pair.floats(width, 1)];
    pair.same('layerNorm', rows, 1, { 3: rows * width }, x, gain, bias, 0, width, 1e-5);
  },
  layerNormGradient(pair, run) {
    const width = pair.pick(sizes);
    const rows = run % 10 === 0 ? pair.integer(250, 530) : pair.integer(0, 70);
    const [x, dy, gain] = [pair.floats(rows * width, 2), pair.floats(rows * width, 1), pair.floats(width, 1)];
    const [parts, padded] = [Math.max(1, Math.ceil(rows / 256)), Math.ceil(width / 4) * 4];
    const outs = { 3: rows * width, 4: 4 * padded * parts };
    const scratch = pair.room(2 * padded * parts);
    pair.same('layerNormGradient', parts, 1, outs, x, gain, dy, 0, 0, scratch, rows, width, 1e-5);
  },
};

const formats = ['mxfp8_e4m3', 'mxfp8_e5m2', 'mxfp6_e3m2', 'mxfp6_e2m3', 'mxfp4_e2m1', 'mxint8', 'nvfp4'] as const;
const roundings = ['nearestEven', 'nearestAway', 'towardZero', 'stochastic'] as const;

/** Values in blocks of sizes of their own, and now and then one that is subnormal, huge, zero, or none. */
function blocks(pair: Pair, n: number, blockSize: number): number {
  let factor = 1;
  const values = Float32Array.from({ length: n }, (_, i) => {
    if (i % blockSize === 0) factor = 2 ** pair.pick([0, 0, 0, 3, -20, -100, -126, -140, 100, 126]);
    if (pair.random() < 0.02) return pair.pick(special.slice(0, pair.random() < 0.1 ? 5 : 2));
    return (pair.random() - 0.5) * 2 ** pair.integer(-6, 1) * factor * (pair.random() < 0.05 ? 0 : 1);
  });
  return pair.put(values);
}

function planned(pair: Pair, elements: number, options: QuantizeOptions) {
  const plan = planInMemory(elements, options);
  const settings = pair.put(plan.settings(0x40490fdb), 'i32');
  const words = pair.put(
    Int32Array.from({ length: elements }, () => pair.integer(-(2 ** 31), 2 ** 31 - 1)),
    'i32',
  );
  return { plan, settings, words };
}

const plainCases: Readonly<Record<string, Case>> = {
  decodeOperand(pair, run) {
    const [rows, terms, blockSize] = [pair.integer(1, 5), pair.integer(1, 130), pair.pick([16, 32, 8, 5])];
    const [wide, floatScales] = [run % 2 === 0, run % 3 === 0];
    const bytes = Int32Array.from({ length: rows * 160 }, () => pair.integer(-(2 ** 31), 2 ** 31 - 1));
    const scales = floatScales ? pair.floats(rows * 130, 1) : pair.put(bytes, 'i32');
    pair.same(
      'decodeOperand',
      rows,
      1,
      { 2: rows * terms },
      pair.put(bytes, 'i32'),
      scales,
      0,
      terms,
      blockSize,
      wide,
      floatScales,
      0.125,
      0.7,
    );
  },
  turnMatrices(pair) {
    const [rows, columns] = [pair.integer(1, 75), pair.integer(1, 75)];
    const [outer, inner] = [pair.integer(1, 2), pair.integer(1, 3)];
    // [outer, rows, inner, columns] to [outer, inner, columns, rows], with a gap at the end of each line.
    const [sourceStride, targetStride] = [inner * columns + pair.integer(0, 3), rows + pair.integer(0, 3)];
    const source = pair.floats(outer * rows * sourceStride, 1, true);
    const written = outer * inner * columns * targetStride;
    const strips = outer * inner * Math.ceil(rows / 32);
    const steps = [rows * sourceStride, columns, inner * columns * targetStride, columns * targetStride];
    pair.same(
      'turnMatrices',
      strips,
      1,
      { 1: written },
      source,
      0,
      rows,
      columns,
      sourceStride,
      targetStride,
      inner,
      ...steps,
    );
  },
  encodeIntegersInMemory(pair, run) {
    // Those of exact products.
    const format = formats.slice(2)[run % 5]!;
    const rounding = run % 3 === 0 ? pair.pick(roundings) : 'nearestEven';
    const [rows, length] = [pair.integer(1, 6), pair.pick([32, 64, 128, 20, 33, 5, 192, 47])];
    const key = { seed: 1, stream: 0, step: 0, sample: 0 };
    const options = {
      format,
      rounding,
      ...(rounding === 'stochastic' ? { key } : {}),
      shape: [rows, length],
      axis: 1,
    } as QuantizeOptions;
    const { settings, words } = planned(pair, rows * length, options);
    const settingsOf = pair.settings(settings);
    const [size, wide, floatScales] = [settingsOf[14]!, format === 'mxfp6_e3m2', settingsOf[15] !== 0];
    const source = blocks(pair, rows * length, size);
    const padded = Math.ceil(length / 16) * 16;
    const blockCount = Math.ceil(length / size);
    const outs = {
      2: (rows * padded) / (wide ? 2 : 4),
      3: floatScales ? rows * blockCount : Math.ceil((rows * blockCount) / 4),
    };
    pair.same('encodeIntegersInMemory', rows, 4, outs, settings, source, 0, 0, words, length, blockCount, wide);
  },
  encodeIntegersOfColumns(pair, run) {
    const format = formats.slice(2)[run % 5]!;
    const rounding = run % 3 === 0 ? pair.pick(roundings) : 'nearestEven';
    const [matrices, length, columns] = [pair.integer(1, 2), pair.pick([32, 64, 20, 33, 47]), pair.integer(1, 75)];
    const key = { seed: 1, stream: 0, step: 0, sample: 0 };
    const lines = matrices * columns;
    const options = {
      format,
      rounding,
      ...(rounding === 'stochastic' ? { key } : {}),
      shape: [lines, length],
      axis: 1,
    } as QuantizeOptions;
    const { settings, words } = planned(pair, lines * length, options);
    const settingsOf = pair.settings(settings);
    const [size, wide, floatScales] = [settingsOf[14]!, format === 'mxfp6_e3m2', settingsOf[15] !== 0];
    const source = blocks(pair, lines * length, size);
    const blockCount = Math.ceil(length / size);
    const outs = [
      (lines * Math.ceil(length / 16) * 16) / (wide ? 2 : 4),
      floatScales ? lines * blockCount : Math.ceil((lines * blockCount) / 4),
    ] as const;
    // WebAssembly encodes the rows of the transposed matrices, whose columns are these rows.
    const turned = [source, words].map((at) => pair.turned(at, matrices, columns, length));
    pair.sameAs(
      { name: 'encodeIntegersInMemory', total: lines, task: [settings, source, 0, 0, words, length, blockCount, wide] },
      {
        name: 'encodeIntegersOfColumns',
        total: matrices * Math.ceil(columns / 32) * blockCount,
        task: [settings, turned[0]!, 0, 0, turned[1]!, length, blockCount, wide, columns],
      },
      { 2: outs[0], 3: outs[1] },
    );
  },
  fakeQuantize(pair, run) {
    const format = formats[run % formats.length]!;
    const rounding = run % 3 === 0 ? pair.pick(roundings) : 'nearestEven';
    const shape = [pair.integer(1, 3), pair.pick([32, 64, 5, 33, 47]), pair.pick([1, 2, 3, 4, 16, 19, 65])];
    const key = { seed: 1, stream: 0, step: 0, sample: 0 };
    const elements = shape.reduce((a, b) => a * b);
    const options = {
      format,
      rounding,
      ...(rounding === 'stochastic' ? { key } : {}),
      shape,
      axis: pair.integer(1, 2),
    } as QuantizeOptions;
    const { plan, settings, words } = planned(pair, elements, options);
    const source = blocks(pair, elements, 32);
    pair.same(plan.kernel, plan.total, 1, { 2: elements }, settings, source, 0, words, ...plan.shape);
  },
};

async function start(arithmetic: Arithmetic): Promise<WasmInstance | undefined> {
  return startWasm(arithmetic, 1).catch(() => undefined);
}

describe.each(['fused', 'strict'] as const)('native kernels, %s', (arithmetic) => {
  for (const level of levels) {
    const { native, reason } = loadNative({ level, arithmetic });
    const cases = Object.entries(arithmetic === 'fused' ? { ...fusedCases, ...plainCases } : plainCases);
    if (native === undefined) {
      it.skip(`have the bits of WebAssembly, ${level}: ${reason}`, () => {});
      continue;
    }
    it.each(cases)(`%s has the bits of WebAssembly, ${level}`, async (name, compare) => {
      const wasm = await start(arithmetic);
      // Node 20 has no fused multiply-add in WebAssembly: there, `@lmd/native` compares with plain C.
      if (wasm === undefined) return;
      const kernels = native.kernels(wasm.memory) as Partial<Kernels>;
      if (level === 'scalar') {
        // Plain C has products alone: WebAssembly is faster.
        expect(Object.keys(kernels)).toEqual(['matmul', 'blockMatmul']);
        return;
      }
      for (let run = 0; run < 150; run++) {
        const pair = new Pair(wasm, native, 1000 * run + name.length);
        compare(pair, run);
      }
    });
  }
});
