import { type CodeLaw, codeBlockSize } from '@lmd/core';
import type { Case, Context } from '../case.js';
import { decodeBlocks, type EncodedValues, encodeBlocks } from '../oracle/block-codes.js';
import type { Random } from '../random.js';
import { floats, type Values } from '../values.js';

const linear = (bits: number): CodeLaw => ({ law: 'linear', bits });
const square = (bits: number): CodeLaw => ({ law: 'square', bits });

/** Laws that share a word in the states of `lmd`, and others. */
const layouts: readonly (readonly CodeLaw[])[] = [
  [linear(16), square(8)],
  [linear(8), linear(8), square(8)],
  [linear(16)],
  [square(3), linear(7), square(11), linear(3)],
  [linear(24)],
];

/** No block, one block, sizes around one block, and blocks that straddle rows. */
const shapes = [[], [0], [1], [127], [128], [129], [5, 77]];

/** For kernels only: larger than the pieces of threads, which a composition does not have. */
const large = [2 ** 17 + 5];

/** On the grid of some scale, midway or anywhere between: neighbouring blocks far apart, and magnitudes within one. */
function contents(random: Random, shape: readonly number[], { law, bits }: CodeLaw): Values {
  const top = 2 ** (bits - 1) - 1;
  let exponent = 0;
  return floats(shape, (i) => {
    if (i % codeBlockSize === 0) exponent = random.pick([0, random.integer(-20, 20), random.integer(-80, 60)]);
    const code = random.integer(-top, top);
    const units = law === 'linear' ? code : code * Math.abs(code);
    const whole = law === 'linear' ? top : top * top;
    const choice = random.integer(0, 3);
    if (choice === 0) return units * 2 ** exponent;
    // Not of squares, whose midpoints take a division that not every device rounds right.
    if (choice === 1 && law === 'linear') return (units + 0.5) * 2 ** exponent;
    if (choice === 2) return random.normal() * 2 ** (exponent - random.integer(0, 20));
    return random.uniform(-whole, whole) * 2 ** exponent;
  });
}

async function checkEncode(
  context: Context,
  vectors: readonly Values[],
  laws: readonly CodeLaw[],
  stochastic: boolean,
): Promise<EncodedValues> {
  const keys = stochastic ? laws.map(() => context.random.key()) : undefined;
  const want = encodeBlocks(vectors, laws, keys);
  const rounding = keys === undefined ? 'nearest' : JSON.stringify(keys);
  await context.check({
    label: `encodeBlocks to ${describe(laws)}, rounded by ${rounding},`,
    bound: [want.words, ...want.scales].map(() => 'blockCodes' as const),
    kernel: 'encodeBlocks',
    inputs: vectors,
    run(ops, tensors) {
      const { words, scales } = ops.encodeBlocks(tensors, laws, keys);
      return [words, ...scales];
    },
    want: [want.words, ...want.scales],
  });
  return want;
}

function checkDecode(
  context: Context,
  encoded: EncodedValues,
  laws: readonly CodeLaw[],
  selected: readonly number[] = laws.map((_, index) => index),
): Promise<void> {
  return context.check({
    label: `decodeBlocks of ${describe(laws)}, vectors ${selected.join(', ')},`,
    bound: selected.map(() => 'blockCodes' as const),
    kernel: 'decodeBlocks',
    inputs: [encoded.words, ...encoded.scales],
    run: (ops, [words, ...scales]) => ops.decodeBlocks({ words: words!, scales }, laws, selected),
    want: selected.map((index) => decodeBlocks(encoded, laws, index)),
  });
}

const describe = (laws: readonly CodeLaw[]) => laws.map(({ law, bits }) => `${law} ${bits}`).join(' + ');

function encodeCase(stochastic: boolean): Case {
  return {
    name: `encodeBlocks to the bit, ${stochastic ? 'rounded stochastically' : 'to nearest'}`,
    async run(context) {
      const { random, backend } = context;
      const make = (shape: readonly number[], laws: readonly CodeLaw[]) =>
        laws.map((law) => contents(random, shape, law));
      for (const laws of layouts) {
        for (const shape of [...shapes, random.shape(3, 900)]) {
          await checkEncode(context, make(shape, laws), laws, stochastic);
        }
      }
      if (backend.fused.encodeBlocks === undefined) return;
      await checkEncode(context, make(large, layouts[1]!), layouts[1]!, stochastic);
    },
  };
}

const decodeCase: Case = {
  name: 'decodeBlocks to the bit, all vectors and some',
  async run(context) {
    const { random, backend } = context;
    const words = (shape: readonly number[], laws: readonly CodeLaw[]) =>
      encodeBlocks(
        laws.map((law) => contents(random, shape, law)),
        laws,
        undefined,
      );
    for (const laws of layouts) {
      for (const shape of [...shapes, random.shape(3, 900)]) {
        const encoded = words(shape, laws);
        await checkDecode(context, encoded, laws);
        await checkDecode(context, encoded, laws, [laws.length - 1]);
        if (laws.length > 1) await checkDecode(context, encoded, laws, [1, 0]);
      }
    }
    if (backend.fused.decodeBlocks === undefined) return;
    await checkDecode(context, words(large, layouts[1]!), layouts[1]!);
  },
};

/** One short row a block, filled up with zeros, for what random contents seldom hit. */
function specialCase(title: string, rows: (context: Context) => readonly (readonly number[])[]): Case {
  return {
    name: title,
    async run(context) {
      const filled = rows(context).map((row) => [...row, ...new Array<number>(codeBlockSize - row.length).fill(0)]);
      for (const [first, ...others] of layouts) {
        const laws = [first!, ...others];
        // Each vector has the blocks in another order, so that a block of one is beside other blocks of the next.
        const vectors = laws.map((_, index) => {
          const data = [...filled.slice(index), ...filled.slice(0, index)].flat();
          // The last block is short.
          return floats([data.length - 3], (i) => data[i]!);
        });
        for (const stochastic of [false, true]) {
          const encoded = await checkEncode(context, vectors, laws, stochastic);
          await checkDecode(context, encoded, laws);
        }
      }
    },
  };
}

/** The least f32 above, and the greatest below, a positive one. */
const above = (x: number) => Math.fround(x * (1 + 2 ** -23));
const below = (x: number) => Math.fround(x * (1 - 2 ** -24));

const specialCases = [
  specialCase('encodeBlocks gives a block of NaN for a NaN or an infinity, and no other', () => [
    [1, NaN, 2],
    [1, -2, 3],
    [Infinity, 1],
    [],
    [-1, -Infinity, 0],
    [NaN],
    [-5, 4, 3],
  ]),
  specialCase('encodeBlocks of zeros of both signs, and beside them', () => [
    [],
    [-0, 0, -0],
    [-0, 1, -1, 0],
    [1024, -1e-3, 1e-9, -0],
  ]),
  specialCase('encodeBlocks takes the least scale that fits, from 2^-100 to the ends of f32', ({ random, backend }) => [
    // Largest codes, for scales of one and other laws, and their neighbours.
    ...[3, 7, 9, 127, 127 ** 2, 32767, 2 ** 23 - 1].flatMap((units) =>
      [-99, -100, 0, random.integer(-90, 90)].flatMap((k) =>
        [below, Math.fround, above].map((beside) => [-beside(units * 2 ** k), 2 ** k, random.normal() * 2 ** k]),
      ),
    ),
    [3.4028234663852886e38, -1e38, 2e38, 1e-30],
    [2 ** 127, -(2 ** 100)],
    [2 ** -126, -(2 ** -120), 2 ** -100, 3 * 2 ** -101],
    ...(backend.supports.subnormals
      ? [
          [2 ** -149, -(2 ** -130), 2 ** -127],
          [1, 2 ** -149, -(2 ** -140)],
        ]
      : []),
  ]),
];

/** Codes with block scales, several in a word: the states of `lmd` in less memory. To the bit, like every format. */
export const blockCodeCases: readonly Case[] = [encodeCase(false), encodeCase(true), decodeCase, ...specialCases];
