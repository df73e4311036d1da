import { describe, expect, it } from 'vitest';
import { type CodeLaw, codeBlockSize } from '../index.js';
import { expectClose, meanOf, randomNumbers, testOperations, values } from '../optimizers/test-support.js';
import { decode, encode, packWords, unpackWords } from './block-codes.js';

const laws: Record<string, CodeLaw> = {
  'linear, 16 bits': { law: 'linear', bits: 16 },
  'linear, 8 bits': { law: 'linear', bits: 8 },
  'square, 8 bits': { law: 'square', bits: 8 },
};

const levelsOf = ({ bits }: CodeLaw) => 2 ** (bits - 1) - 1;

/** The value of each code, for a scale. */
const codeValue = ({ law }: CodeLaw, code: number, scale: number) =>
  (law === 'linear' ? code : code * Math.abs(code)) * scale;

describe.each(Object.entries(laws))('codes, %s', (_, law) => {
  it('round to one of the two codes beside a number, by a power of two a block', async () => {
    const random = randomNumbers(1);
    const ops = testOperations();
    // Two whole blocks and a short one, of very different sizes; the third is all zeros.
    const sizes = [1e-3, 40, 0];
    const numbers = Array.from(
      { length: 2 * codeBlockSize + 5 },
      (__, i) => (random() - 0.5) * sizes[Math.floor(i / codeBlockSize)]!,
    ).map(Math.fround);
    const uniforms = numbers.map(() => random());
    const { codes, scale } = encode(ops, ops.fromData(numbers), law, ops.fromData(uniforms));
    const [integers, scales] = [await values(ops, codes), await values(ops, scale)];
    expect(scales.length).toBe(3);
    for (const power of scales) expect(Number.isInteger(Math.log2(power))).toBe(true);
    const decoded = await values(ops, decode(ops, { codes, scale }, law));
    for (const [i, code] of integers.entries()) {
      const s = scales[Math.floor(i / codeBlockSize)]!;
      expect(Number.isInteger(code)).toBe(true);
      expect(Math.abs(code)).toBeLessThanOrEqual(levelsOf(law));
      expect(decoded[i]).toBe(Math.fround(codeValue(law, code, s)));
      const neighbours = [code - 1, code, code + 1].map((c) => codeValue(law, c, s));
      expect(numbers[i]).toBeGreaterThanOrEqual(neighbours[0]!);
      expect(numbers[i]).toBeLessThanOrEqual(neighbours[2]!);
    }
    // No block wastes more than one bit of its codes.
    const top = (block: number) =>
      Math.max(...integers.slice(block * codeBlockSize, (block + 1) * codeBlockSize).map(Math.abs));
    for (const block of [0, 1])
      expect(top(block)).toBeGreaterThanOrEqual((levelsOf(law) - 1) * (law.law === 'linear' ? 0.5 : 0.7));
  });

  it('leave a number that is on their grid as it is, whatever the uniform', async () => {
    const ops = testOperations();
    const start = [0.3, -0.02, 0.011, 0, -0.25];
    const once = encode(ops, ops.fromData(start), law, 0.5);
    const grid = decode(ops, once, law);
    for (const uniform of [0, 0.25, 1 - 2 ** -24]) {
      const again = encode(ops, grid, law, uniform);
      expect(await values(ops, decode(ops, again, law))).toEqual(await values(ops, grid));
    }
  });

  it('with uniform numbers, are unbiased', async () => {
    const ops = testOperations();
    const count = 768;
    for (const [index, fraction] of [0.1, 0.37, 0.5, 0.93].entries()) {
      const unit = codeValue(law, levelsOf(law), 1) / 64;
      const low = codeValue(law, 3, unit);
      const x = low + fraction * (codeValue(law, 4, unit) - low);
      // The first number sets the block's scale; the second is the one looked at, in blocks of its own each.
      const numbers = ops.broadcastTo(ops.fromData([codeValue(law, levelsOf(law), unit), x]), [count, 2]);
      const spaced = ops.reshape(ops.pad(numbers, [0, 0], [0, codeBlockSize - 2]), [count * codeBlockSize]);
      const uniform = ops.randomUniform(spaced.shape, { seed: 3, stream: index, step: 0, sample: 0 });
      const decoded = decode(ops, encode(ops, spaced, law, uniform), law);
      const drawn = await values(ops, ops.slice(ops.reshape(decoded, [count, codeBlockSize]), [0, 1], [count, 1]));
      const spread = codeValue(law, 4, unit) - low;
      expect(new Set(drawn).size).toBe(2);
      const deviation = spread * Math.sqrt((fraction * (1 - fraction)) / count);
      expect(Math.abs(meanOf(drawn) - x)).toBeLessThan(4 * deviation);
    }
  });

  it.each([Number.NaN, Infinity, -Infinity])('hide no %s', async (bad) => {
    const ops = testOperations();
    const { codes, scale } = encode(ops, ops.fromData([1, bad, 2]), law, 0.5);
    const decoded = await values(ops, decode(ops, { codes, scale }, law));
    expect(decoded.every(Number.isNaN)).toBe(true);
  });
});

describe('words', () => {
  it.each([
    ['of two codes', [laws['linear, 16 bits']!, laws['square, 8 bits']!]],
    ['of three codes', [laws['linear, 8 bits']!, laws['linear, 8 bits']!, laws['square, 8 bits']!]],
    ['of one code', [laws['linear, 16 bits']!]],
  ])('%s give them back, the extremes included, and are integers under 2^24', async (_, fields) => {
    const ops = testOperations();
    const ends = fields.map(levelsOf).map((levels) => [-levels, levels, 0, 1, -1]);
    // Every combination of extremes: the position's digits in base 5 choose.
    const count = 5 ** fields.length;
    const given = ends.map((list, field) =>
      Array.from({ length: count }, (__, i) => list[Math.floor(i / 5 ** field) % 5]!),
    );
    const words = packWords(
      ops,
      given.map((list) => ops.fromData(list)),
      fields,
    );
    for (const word of await values(ops, words)) {
      expect(Number.isInteger(word) && word >= 0 && word < 2 ** 24).toBe(true);
    }
    const back = unpackWords(ops, words, fields);
    for (const [field, codes] of back.entries()) expectClose(await values(ops, codes), given[field]!, 0, 0);
  });
});
