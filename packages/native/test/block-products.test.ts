import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nativeLevels, nothingToTest } from './levels.js';

/** How an operand lies in memory. */
interface Operand {
  readonly rows: number;
  readonly size: number;
  readonly wide: boolean;
  readonly floatScales: boolean;
  readonly shared: boolean;
  readonly shift: number;
}

interface Task {
  readonly a: Operand;
  readonly b: Operand;
  readonly batch: number;
  readonly terms: number;
  readonly rest: number;
  readonly partRows: number;
  readonly partColumns: number;
  readonly seed: number;
  readonly extreme: boolean;
}

const operand = (sizes: readonly number[]) =>
  fc.record({
    rows: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constantFrom(31, 33, 64, 97, 241)),
    size: fc.constantFrom(...sizes),
    wide: fc.boolean(),
    floatScales: fc.boolean(),
    shared: fc.boolean(),
    shift: fc.constantFrom(-6, -4, -1, 0),
  });

const tasks = fc
  .constantFrom([32], [16, 32], [16, 64], [4], [2, 6], [1, 3], [256])
  .chain((sizes) =>
    fc.record({
      a: operand(sizes),
      b: operand(sizes),
      batch: fc.integer({ min: 1, max: 2 }),
      terms: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(256, 500, 1030)),
      rest: fc.constantFrom(0, 0, 0, -3),
      partRows: fc.constantFrom(7, 24, 1000),
      partColumns: fc.constantFrom(5, 96, 1000),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      extreme: fc.boolean(),
    }),
  )
  .filter(({ a, b, batch, terms }) => {
    const [low, high] = [Math.min(a.size, b.size), Math.max(a.size, b.size)];
    return high % low === 0 && a.rows * b.rows * terms * batch < 1_000_000;
  });

const padded = (terms: number) => Math.ceil(terms / 16) * 16;

function memoryOf({ a, b, batch, terms, rest, seed, extreme }: Task) {
  let random = seed;
  const next = (below: number) => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((random / 2 ** 32) * below);
  };
  const buffer = new SharedArrayBuffer(4_000_000);
  let top = 128;
  const take = (bytes: number) => {
    const at = top;
    top += Math.ceil(bytes / 64) * 64;
    return at;
  };
  const size = Math.min(a.size, b.size);
  // So that a block's sum, times the significands of the scales, is below 2^24, as the definition demands.
  const most = ({ wide, floatScales }: Operand) =>
    Math.floor(Math.min(wide ? 448 : 127, Math.sqrt(2 ** 24 / size) / (floatScales ? 15 : 1)));
  const operands = [a, b].map((one) => {
    const lines = one.rows * (one.shared ? 1 : batch);
    const blocks = Math.ceil(terms / one.size);
    const codesAt = take((lines * padded(terms)) << Number(one.wide));
    const scalesAt = take(lines * blocks * 4);
    const codes = one.wide
      ? new Int16Array(buffer, codesAt, lines * padded(terms))
      : new Int8Array(buffer, codesAt, lines * padded(terms));
    const scales = one.floatScales
      ? new Float32Array(buffer, scalesAt, lines * blocks)
      : new Uint8Array(buffer, scalesAt, lines * blocks);
    const largest = most(one);
    for (let row = 0; row < lines; row++) {
      for (let block = 0; block < blocks; block++) {
        const zeros = next(8) === 0;
        const byte = next(200) === 0 ? 255 : extreme ? next(255) : 90 + next(70);
        scales[row * blocks + block] = one.floatScales
          ? next(200) === 0
            ? Number.NaN
            : (8 + next(8)) * 2 ** (next(15) - 9)
          : zeros && byte < 255
            ? 0
            : byte;
        for (let t = block * one.size; t < Math.min(terms, (block + 1) * one.size); t++) {
          codes[row * padded(terms) + t] = zeros ? 0 : next(2 * largest + 1) - largest;
        }
      }
    }
    return { codesAt, scalesAt, codes, scales, lines, blocks };
  });
  const words = new Int32Array(buffer, 0, 26);
  words[1] = size;
  words[3] = rest;
  for (const [i, one] of [a, b].entries()) {
    const { codesAt, scalesAt } = operands[i]!;
    words.set(
      [codesAt, scalesAt, one.rows, terms, one.size, +one.wide, +one.floatScales, +one.shared, one.shift],
      4 + 11 * i,
    );
  }
  return { buffer, operands, take };
}

/** What f32 holds of a number: ±Infinity beyond its range, 0 below its normal numbers. */
function limited(t: number): number {
  if (Math.abs(t) < 2 ** -126) return 0;
  return Math.abs(t) >= 2 ** 128 ? Math.sign(t) * Number.POSITIVE_INFINITY : t;
}

/** By the definition: every product with its scales is exact in float64. */
function expected({ a, b, batch, terms, rest }: Task, operands: ReturnType<typeof memoryOf>['operands']): Float32Array {
  const size = Math.min(a.size, b.size);
  const out = new Float32Array(batch * a.rows * b.rows);
  const scaleOf = (one: Operand, { scales, blocks }: (typeof operands)[number], row: number, start: number) => {
    const scale = scales[row * blocks + Math.floor(start / one.size)]!;
    const value = one.floatScales ? scale : scale === 255 ? Number.NaN : 2 ** (scale - 127);
    return value * 2 ** one.shift;
  };
  for (let i = 0; i < out.length; i++) {
    const matrix = Math.floor(i / b.rows / a.rows);
    const rowA = (Math.floor(i / b.rows) % a.rows) + (a.shared ? 0 : matrix * a.rows);
    const rowB = (i % b.rows) + (b.shared ? 0 : matrix * b.rows);
    const [left, right] = [operands[0]!, operands[1]!];
    let y = 0;
    for (let start = 0; start < terms; start += size) {
      let sum = 0;
      for (let t = start; t < Math.min(terms, start + size); t++) {
        sum += left.codes[rowA * padded(terms) + t]! * right.codes[rowB * padded(terms) + t]!;
      }
      const scale = scaleOf(a, left, rowA, start) * scaleOf(b, right, rowB, start) * 2 ** rest;
      const next = Math.fround(y + limited(sum * scale));
      y = Math.abs(next) < 2 ** -126 ? 0 : next;
    }
    out[i] = y;
  }
  return out;
}

if (nothingToTest !== undefined) it.skip(`native products of blocks: ${nothingToTest}`, () => {});
else {
  describe('products of blocks', () => {
    it.each(nativeLevels('fused'))('are those of the definition, $level', (native) => {
      fc.assert(
        fc.property(tasks, (task) => {
          const { a, b, batch, terms, partRows, partColumns } = task;
          const { buffer, operands, take } = memoryOf(task);
          const at = take(4 * batch * a.rows * b.rows);
          const total = batch * Math.ceil(a.rows / partRows) * Math.ceil(b.rows / partColumns);
          const out = new Float32Array(buffer, at, batch * a.rows * b.rows).fill(Number.NaN);
          native.kernels({ buffer }).blockMatmul(0, total, 0, at, a.rows, terms, b.rows, partRows, partColumns);
          const want = expected(task, operands);
          const wrong = out.findIndex((value, i) => !Object.is(value, want[i]));
          if (wrong >= 0) expect.fail(`element ${wrong} is ${out[wrong]}, not ${want[wrong]}`);
        }),
        { numRuns: 250 },
      );
    });
  });
}
