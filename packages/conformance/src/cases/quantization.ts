import type { BlockFormat, FakeQuantizeOptions, Rounding, ScaleMode } from '@lmd/core';
import { formats, roundings, scaleModes } from '@lmd/mx-formats';
import type { Case, CaseGroup, Context } from '../case.js';
import { fakeQuantize } from '../oracle/quantization.js';
import type { Random } from '../random.js';
import { floats, repeated, type Values } from '../values.js';
import { goldenCase } from './golden.js';

function check(context: Context, x: Values, options: FakeQuantizeOptions, extreme = false): Promise<void> {
  const { format, ...rest } = options;
  return context.check({
    label: `fakeQuantize to ${format.name} ${JSON.stringify(rest)}`,
    bound: 'copy',
    kernel: 'fakeQuantize',
    composedNeedsSubnormals: extreme,
    inputs: [x],
    run: (ops, [a]) => ops.fakeQuantize(a!, options),
    want: fakeQuantize(x, options),
  });
}

const optionsOf = (random: Random, format: BlockFormat, rounding: Rounding, scaleMode: ScaleMode, axis: number) => ({
  format,
  rounding,
  scaleMode,
  axis,
  ...(rounding === 'stochastic' ? { key: random.key() } : {}),
});

/** A value that lies on, midway between, or beside the codes of some scale, or anywhere. */
function element(random: Random, { element: format }: BlockFormat, exponent: number): number {
  const step = 2 ** (exponent - random.integer(0, format.mantissaBits + 3));
  const halves = random.integer(-32, 32) / 2;
  const beside = random.pick([0, 0, 2 ** -22, -(2 ** -22)]);
  const value = random.next() < 0.5 ? halves * step * (1 + beside) : random.normal() * 2 ** exponent;
  return random.next() < 0.05 ? value * 2 ** -random.integer(4, 20) : value;
}

/**
 * Random contents in which neighbouring blocks have scales far apart. Where the backend flushes subnormals, no element
 * is near them: core's composition needs them there (`composedNeedsSubnormals`).
 */
function contents({ random, backend }: Context, shape: readonly number[], format: BlockFormat): Values {
  let exponent = 0;
  const lowest = backend.supports.subnormals ? -100 : -70;
  return floats(shape, (i) => {
    if (i % 16 === 0) exponent = random.pick([0, random.integer(-20, 20), random.integer(lowest, 100)]);
    return element(random, format, exponent);
  });
}

/** Whole and short blocks, and blocks along every axis. */
function layouts(random: Random): { shape: readonly number[]; axis: number }[] {
  return [
    { shape: [3, 70], axis: 1 },
    { shape: [37, 5], axis: -2 },
    { shape: [2, 33, 3], axis: 1 },
    { shape: [random.integer(1, 3), random.integer(1, 4), random.integer(1, 66)], axis: random.integer(-3, 2) },
    { shape: [random.integer(1, 100)], axis: 0 },
    { shape: [0, 32], axis: 1 },
  ];
}

function roundingCase(format: BlockFormat, rounding: Rounding): Case {
  return {
    name: `${format.name} with ${rounding}, in every scale mode and along every axis`,
    async run(context) {
      for (const scaleMode of scaleModes) {
        for (const { shape, axis } of layouts(context.random)) {
          const options = optionsOf(context.random, format, rounding, scaleMode, axis);
          await check(context, contents(context, shape, format), options);
        }
      }
    },
  };
}

/** Kernels must not allocate a whole block, nor count its elements in too few bits. */
function longBlockCase(format: BlockFormat): Case {
  return {
    name: `${format.name} in blocks longer than the row, up to 2^31 − 1 elements`,
    async run(context) {
      for (const blockSize of [129, 2 ** 31 - 1]) {
        for (const { shape, axis } of layouts(context.random)) {
          const options = optionsOf(context.random, { ...format, blockSize }, 'nearestEven', 'floor', axis);
          await check(context, contents(context, shape, format), options);
        }
      }
    },
  };
}

/** Rows of one block each, for what random contents seldom hit. */
function specialCase(title: string, rows: (context: Context, format: BlockFormat) => number[][], extreme = false) {
  return (format: BlockFormat): Case => ({
    name: `${format.name} ${title}`,
    async run(context) {
      const blocks = rows(context, format).map((row) => [...row, ...new Array<number>(32 - row.length).fill(0)]);
      const x = repeated([blocks.length, 32], blocks.flat());
      for (const rounding of roundings) {
        for (const scaleMode of scaleModes) {
          await check(context, x, optionsOf(context.random, format, rounding, scaleMode, 1), extreme);
        }
      }
    },
  });
}

/** The least f32 above, and the greatest below, a positive one. */
const above = (x: number) => Math.fround(x * (1 + 2 ** -23));
const below = (x: number) => Math.fround(x * (1 - 2 ** -24));

const specialCases = [
  specialCase('keeps the sign of zero', () => [
    [0, -0, 0, -0],
    [-0, 1, -0, -1],
    // Negative values far below the block's scale round to −0.
    [1024, -1e-3, 1e-3, -1e-9, -0],
  ]),
  specialCase('reads its scale from the bits, also beside powers of two', ({ random }) =>
    [0, 1, -1, 24, 63, 100, 120, -63, -100, random.integer(-110, 120), random.integer(-110, 120)].flatMap((k) =>
      [below(2 ** k), 2 ** k, above(2 ** k)].map((largest) => [
        -largest,
        ...Array.from({ length: 31 }, () => random.normal() * 0.2 * largest),
      ]),
    ),
  ),
  specialCase('gives a block of NaN for a NaN or an infinity, and no other', () => [
    [1, NaN, 2],
    [1, 2, 3],
    [Infinity, 1],
    [-1, -2, -3],
    [0, -Infinity],
    [NaN],
  ]),
  specialCase(
    'clips, rounds up to the next power of two, and ties',
    ({ random }, { element: { largest, mantissaBits } }) =>
      [-3, 0, 5].flatMap((k) => {
        const unit = 2 ** k;
        const ulp = 2 ** -mantissaBits;
        return [
          [largest, largest * (1 + ulp / 8), -largest * (1 + ulp / 4), largest * (1 + ulp / 2)].map((v) => v * unit),
          [2 - ulp / 2, below(2 - ulp / 2), 1 + ulp / 2, -(1 + (3 * ulp) / 2), 1 + ulp / 2 + 2 ** -20].map(
            (v) => v * unit,
          ),
          [2 - ulp / 4, above(2 - ulp / 2), random.uniform(1, 2), random.uniform(-2, -1)].map((v) => v * unit),
        ];
      }),
  ),
  specialCase(
    'reaches both ends of the range of f32',
    ({ random, backend }) => {
      const tiny = backend.supports.subnormals ? [2 ** -149, -(2 ** -148), 3 * 2 ** -140, -(2 ** -127)] : [];
      const row = (scale: number) => Array.from({ length: 32 }, () => Math.fround(random.uniform(-1, 1) * scale));
      return [
        [3.4028234663852886e38, -1e38, 2e38],
        row(3e38),
        [2 ** -126, -(2 ** -126), 3 * 2 ** -126],
        row(2 ** -120),
        row(2 ** -112),
        [...tiny, 0, -0],
        [1, ...tiny],
      ];
    },
    true,
  ),
];

/** The six OCP formats, whose scales are powers of two. Backends need not support others. */
const ocpFormats = Object.values(formats).filter(({ scale }) => scale === 'e8m0');

/** MX formats, fake-quantized: bit-identical to `@lmd/mx-formats` and its reference libraries. */
export const quantization: CaseGroup = {
  name: 'quantization',
  cases: ocpFormats.flatMap((format) => [
    ...roundings.map((rounding) => roundingCase(format, rounding)),
    longBlockCase(format),
    ...specialCases.map((special) => special(format)),
    goldenCase(format),
  ]),
};
