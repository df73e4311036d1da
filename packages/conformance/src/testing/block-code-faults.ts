import { codeBlockSize } from '@lmd/core';
import { decodeBlocks, encodeBlocks } from '../oracle/block-codes.js';
import type { Values } from '../values.js';
import { type Fault, tensorOf, valuesOf, withKernel } from './fault.js';

export const blockCodeFaults: readonly Fault[] = [
  {
    name: 'encodeBlocks counts its random words from the start of each block',
    breakIt: (right) =>
      withKernel(right, {
        encodeBlocks(vectors, laws, keys) {
          const given = vectors.map((x) => valuesOf(right, x));
          const { shape } = given[0]!;
          const whole = encodeBlocks(given, laws, keys);
          for (let from = 0; from < whole.words.data.length; from += codeBlockSize) {
            const block = given.map(({ data }): Values => {
              const part = data.subarray(from, from + codeBlockSize);
              return { shape: [part.length], dtype: 'f32', data: part };
            });
            whole.words.data.set(encodeBlocks(block, laws, keys).words.data, from);
          }
          return {
            words: tensorOf(right, { ...whole.words, shape }),
            scales: whole.scales.map((scale) => tensorOf(right, scale)),
          };
        },
      }),
    caughtBy: ['optimizers > encodeBlocks to the bit, rounded stochastically'],
    // Their blocks are rounded stochastically as well.
    mayAlsoFail: /^optimizers > encodeBlocks (gives|of|takes)/,
  },
  {
    name: 'encodeBlocks hides an infinity by saturating it',
    breakIt: (right) =>
      withKernel(right, {
        encodeBlocks(vectors, laws, keys) {
          const finite = vectors.map((x) => {
            const { data, ...rest } = valuesOf(right, x);
            return {
              ...rest,
              data: data.map((v) => (Math.abs(v) === Infinity ? Math.sign(v) * 3.4028234663852886e38 : v)),
            };
          });
          const { words, scales } = encodeBlocks(finite, laws, keys);
          return { words: tensorOf(right, words), scales: scales.map((scale) => tensorOf(right, scale)) };
        },
      }),
    caughtBy: ['optimizers > encodeBlocks gives a block of NaN for a NaN or an infinity, and no other'],
  },
  {
    name: 'decodeBlocks decodes squares as they stand',
    breakIt: (right) =>
      withKernel(right, {
        decodeBlocks(encoded, laws, selected) {
          const values = {
            words: valuesOf(right, encoded.words),
            scales: encoded.scales.map((scale) => valuesOf(right, scale)),
          };
          const linear = laws.map(({ bits }) => ({ law: 'linear' as const, bits }));
          return selected.map((index) => tensorOf(right, decodeBlocks(values, linear, index)));
        },
      }),
    caughtBy: [
      'optimizers > decodeBlocks to the bit, all vectors and some',
      'optimizers > encodeBlocks takes the least scale that fits, from 2^-100 to the ends of f32',
    ],
    mayAlsoFail: /^optimizers > encodeBlocks (gives|of)/,
  },
];
