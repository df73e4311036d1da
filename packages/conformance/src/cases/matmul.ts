import type { Case, CaseGroup, Context } from '../case.js';
import { matmul as product } from '../oracle/matmul.js';
import { floats, normals, repeated, type Values } from '../values.js';

interface Flags {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

const allFlags: readonly Flags[] = [
  {},
  { transposeA: true },
  { transposeB: true },
  { transposeA: true, transposeB: true },
];

function check(context: Context, a: Values, b: Values, flags: Flags = {}): Promise<void> {
  return context.check({
    label: `matmul ${JSON.stringify(flags)}`,
    bound: 'matmul',
    inputs: [a, b],
    run: (ops, [p, q]) => ops.matmul(p!, q!, flags),
    want: product(a, b, flags.transposeA, flags.transposeB),
  });
}

/** Operands of [batch…, m, k] and [batch…, k, n], stored as the flags say. */
function operands(
  context: Context,
  aBatch: number[],
  bBatch: number[],
  sizes: number[],
  flags: Flags,
): [Values, Values] {
  const [m, k, n] = sizes as [number, number, number];
  return [
    normals(context.random, [...aBatch, ...(flags.transposeA ? [k, m] : [m, k])]),
    normals(context.random, [...bBatch, ...(flags.transposeB ? [n, k] : [k, n])]),
  ];
}

function flagsCase(flags: Flags): Case {
  const named = Object.keys(flags).join(' and ') || 'no transposed operand';
  return {
    name: `matrices with ${named}`,
    async run(context) {
      const size = () => context.random.integer(1, 20);
      for (const sizes of [
        [2, 3, 4],
        [1, 1, 1],
        [5, 1, 7],
        [1, 33, 1],
        [4, 8, 12],
        // Square: a flag that is ignored does not show in the shape.
        [6, 6, 6],
        [size(), size(), size()],
      ]) {
        await check(context, ...operands(context, [], [], sizes, flags), flags);
      }
    },
  };
}

const batchesCase: Case = {
  name: 'batches, and one operand shared by all',
  async run(context) {
    const { random } = context;
    const batches: [number[], number[]][] = [
      [[3], [3]],
      [
        [2, 3],
        [2, 3],
      ],
      [[1], [1]],
      [[4], []],
      [[], [4]],
      [[2, 1, 3], []],
      [[], [3, 2]],
    ];
    for (const [aBatch, bBatch] of batches) {
      const sizes = [random.integer(1, 9), random.integer(1, 9), random.integer(1, 9)];
      for (const flags of allFlags) await check(context, ...operands(context, aBatch, bBatch, sizes, flags), flags);
    }
  },
};

const emptyCase: Case = {
  name: 'empty products: no rows, no columns, no batch, and zeros for no terms',
  async run(context) {
    const empty = (shape: number[]) => floats(shape, () => 1);
    await check(context, empty([0, 3]), empty([3, 2]));
    await check(context, empty([2, 3]), empty([3, 0]));
    await check(context, empty([2, 0]), empty([0, 3]));
    await check(context, empty([0, 2, 3]), empty([0, 3, 2]));
  },
};

const specialCase: Case = {
  name: 'NaN and infinities reach exactly their rows and columns',
  async run(context) {
    const a = repeated([3, 5], [1, 2, 3, 4, 5, NaN, 0, 0, 0, 0, 0, Infinity, 1, -1, 2]);
    const b = normals(context.random, [5, 4]);
    await check(context, a, b);
    // 0 · ∞ is NaN: a kernel that skips zeros loses it.
    const zeros = floats([2, 3], (i) => (i === 0 ? 1 : 0));
    await check(context, zeros, repeated([3, 4], [1, 2, 3, 4, 1, Infinity, 2, 3, 1, 2, NaN, 4]));
  },
};

const largeCase: Case = {
  name: '257×129 by 129×65, and a long contraction',
  async run(context) {
    for (const flags of allFlags) await check(context, ...operands(context, [], [], [257, 129, 65], flags), flags);
    await check(context, ...operands(context, [2], [2], [3, 2049, 5], {}));
  },
};

/** Batched matrix products. */
export const matmul: CaseGroup = {
  name: 'matmul',
  cases: [...allFlags.map(flagsCase), batchesCase, emptyCase, specialCase, largeCase],
};
