import { type Backend, type BlockFormat, type EncodeOperandOptions, hasExactProducts, type Tensor } from '@lmd/core';
import { formats, roundings, scaleModes } from '@lmd/mx-formats';
import type { Case, CaseGroup, Context } from '../case.js';
import { blockMatmul, encodeOperand } from '../oracle/block-products.js';
import { fakeQuantize } from '../oracle/quantization.js';
import type { Random } from '../random.js';
import { floats, mapped, type Values } from '../values.js';

/** Formats of exact products. Backends need not support scales that are not powers of two. */
const exactFormats = Object.values(formats).filter((format) => format.scale === 'e8m0' && hasExactProducts(format));

/** A custom format that is not an OCP format, with other block sizes. */
const int4 = (blockSize: number): BlockFormat => ({
  name: `int4_${blockSize}`,
  element: {
    name: 'int4',
    kind: 'int',
    bits: 4,
    exponentBits: 0,
    mantissaBits: 2,
    bias: 0,
    emax: 0,
    emin: 0,
    largest: 7 / 4,
    hasInfinity: false,
    hasNaN: false,
  },
  blockSize,
  scale: 'e8m0',
});

interface Operand {
  readonly x: Values;
  readonly options: EncodeOperandOptions;
}

interface Extents {
  readonly leadA: readonly number[];
  readonly leadB: readonly number[];
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Sizes around those of kernel tiles, whole and short blocks, batches, and operands shared by a batch. */
function extentsToTry(random: Random): Extents[] {
  const free = () => random.integer(1, 20);
  return [
    { leadA: [], leadB: [], m: 9, k: 64, n: 17 },
    { leadA: [], leadB: [], m: 1, k: random.integer(1, 70), n: free() },
    { leadA: [], leadB: [], m: free(), k: 33, n: 1 },
    { leadA: [2], leadB: [2], m: free(), k: random.integer(65, 100), n: free() },
    { leadA: [2, 2], leadB: [], m: 5, k: 31, n: free() },
    { leadA: [], leadB: [3], m: 4, k: 96, n: 8 },
    { leadA: [], leadB: [], m: 3, k: 0, n: 2 },
    { leadA: [2], leadB: [2], m: 0, k: 5, n: 2 },
  ];
}

/** For kernels only: larger than the pieces of threads and caches. */
const large: readonly Extents[] = [
  { leadA: [], leadB: [], m: 270, k: 1090, n: 10 },
  { leadA: [], leadB: [], m: 5, k: 1050, n: 530 },
];

type Fill = (shape: readonly number[], format: BlockFormat) => Values;

/**
 * Values that differ between tiles of `size` by `size`, so that blocks differ along both axes.
 */
function byTile(
  size: number,
  value: (random: Random, backend: Backend) => (x: number) => number,
): (context: Pick<Context, 'random' | 'backend'>) => Fill {
  return ({ random, backend }) =>
    (shape) => {
      const width = shape.at(-1)!;
      const across = Math.ceil(width / size);
      const tiles: ((x: number) => number)[] = [];
      return floats(shape, (i) => {
        const tile = Math.floor(i / width / size) * across + Math.floor((i % width) / size);
        tiles[tile] ??= value(random, backend);
        return tiles[tile](random.normal());
      });
    };
}

/** A few binades about 1. */
const plain = byTile(16, (random) => {
  const factor = 2 ** random.integer(-12, 12);
  return (x) => x * factor;
});

function operand(
  random: Random,
  format: BlockFormat,
  fill: Fill,
  [lead, rows, terms]: readonly [readonly number[], number, number],
): Operand {
  const last = random.next() < 0.5;
  const shape = last ? [...lead, rows, terms] : [...lead, terms, rows];
  const rounding = random.pick(roundings);
  return {
    x: fill(shape, format),
    options: {
      format,
      axis: last ? -1 : -2,
      rounding,
      ...(format.scale === 'e8m0' ? { scaleMode: random.pick(scaleModes) } : {}),
      ...(rounding === 'stochastic' ? { key: random.key() } : {}),
    },
  };
}

/** Both operands encoded and decoded again, and their product. */
async function check(context: Context, a: Operand, b: Operand, extreme = false): Promise<void> {
  const [left, right] = [encodeOperand(a.x, a.options), encodeOperand(b.x, b.options)];
  const lead = a.x.shape.length > 2 ? a.x.shape.slice(0, -2) : b.x.shape.slice(0, -2);
  const rowsOf = ({ shape, axis }: typeof left) => shape[2 * shape.length - 3 - axis]!;
  const decoded = [a, b].map(({ x, options }) => mapped(fakeQuantize(x, options), (value) => value + 0));
  await context.check({
    label: `blockMatmul of ${JSON.stringify([a.options, b.options].map(describe))}`,
    bound: ['blockProduct', 'blockProduct', 'blockProduct'],
    kernel: 'blockMatmul',
    composedNeedsSubnormals: extreme,
    inputs: [a.x, b.x],
    run(ops, [x, y]) {
      return ops.scope(() => {
        const [first, second] = [ops.encodeOperand(x!, a.options), ops.encodeOperand(y!, b.options)];
        const results: Tensor[] = [ops.blockMatmul(first, second), ops.decodeOperand(first), ops.decodeOperand(second)];
        return results;
      });
    },
    want: [blockMatmul(left, right, [...lead, rowsOf(left), rowsOf(right)]), ...decoded],
  });
}

const describe = ({ format, ...rest }: EncodeOperandOptions) => ({ format: format.name, ...rest });

function pairCase(a: BlockFormat, b: BlockFormat): Case {
  return {
    name: `${a.name} · ${b.name} to the bit`,
    async run(context) {
      const { random, backend } = context;
      const fill = plain(context);
      const tryOne = ({ leadA, leadB, m, k, n }: Extents) =>
        check(context, operand(random, a, fill, [leadA, m, k]), operand(random, b, fill, [leadB, n, k]));
      for (const extents of extentsToTry(random)) await tryOne(extents);
      if (backend.fused.blockMatmul !== undefined && a === b) for (const extents of large) await tryOne(extents);
    },
  };
}

/** One format beside itself and an E2M1 operand, with contents of a kind. */
function specialCase(title: string, format: BlockFormat, fill: (context: Context) => Fill, extreme = false): Case {
  return {
    name: `${format.name} ${title}`,
    async run(context) {
      const { random } = context;
      for (const other of [format, formats.mxfp4_e2m1]) {
        // Some backends have a separate kernel for a single row.
        for (const [m, k] of [
          [11, 64],
          [11, 75],
          [1, 200],
        ] as const) {
          const a = operand(random, format, fill(context), [[], m, k]);
          await check(context, a, operand(random, other, fill(context), [[], 13, k]), extreme);
        }
      }
    },
  };
}

const specials = [
  (format: BlockFormat) =>
    specialCase(
      'gives NaN in the rows and columns of a block of NaN, and in no others',
      format,
      ({ random }) =>
        (shape) =>
          floats(shape, () => (random.next() < 0.02 ? random.pick([NaN, Infinity, -Infinity]) : random.normal())),
    ),
  (format: BlockFormat) =>
    specialCase(
      'takes blocks of zeros beside others, large and small',
      format,
      byTile(32, (random) => {
        const factor = random.pick([0, 0, -0, 1, 2 ** 60, 2 ** -60]);
        return (x) => x * factor;
      }),
    ),
  (format: BlockFormat) =>
    specialCase(
      'reaches both ends of E8M0',
      format,
      byTile(32, (random, { supports, fused }) => {
        // Core's composition of the encoding needs subnormal numbers at the lower end.
        const lowest = supports.subnormals || fused.encodeOperand !== undefined ? -126 : -90;
        const exponent = random.pick([0, 1, -1, random.integer(-126, 122), 120, -120, 100, -100, 64, -64, 63, -63]);
        const factor = 2 ** Math.max(lowest, exponent);
        return (x) => Math.max(-1, Math.min(1, x)) * factor * 2;
      }),
      true,
    ),
  (format: BlockFormat) =>
    specialCase(
      'counts what is below the normal numbers as zero, in terms and in sums',
      format,
      // Two factors of about 2^-63 each: terms and sums on both sides of 2^-126.
      byTile(32, (random) => {
        const factor = 2 ** random.integer(-69, -58);
        return (x) => x * factor;
      }),
    ),
  (format: BlockFormat) =>
    specialCase(
      'overflows to an infinity, and from two of them to NaN',
      format,
      byTile(32, (random) => {
        const factor = 2 ** random.integer(58, 66);
        return (x) => x * factor;
      }),
    ),
];

/** Exact products of block formats: the same bits everywhere. */
export const blockProducts: CaseGroup = {
  name: 'block products',
  cases: [
    ...exactFormats.flatMap((a) => exactFormats.map((b) => pairCase(a, b))),
    ...[int4(16), int4(10), int4(3)].map((format) => pairCase(format, format)),
    // Blocks of 32 beside two of 16 each, and beside four of 8.
    pairCase(formats.mxfp6_e2m3, int4(16)),
    pairCase(int4(8), formats.mxfp6_e3m2),
    ...exactFormats.flatMap((format) => specials.map((special) => special(format))),
  ],
};
