import type { Case, CaseGroup, Context } from '../case.js';
import { argMax, max, mean, sum } from '../oracle/reductions.js';
import type { Random } from '../random.js';
import { floats, integers, normals, repeated, type Values } from '../values.js';

const oracles = { sum, mean, max } as const;
type ReductionName = keyof typeof oracles;
const reductionBounds = { sum: 'sum', mean: 'mean', max: 'extremum' } as const;

function withKeptAxes(x: Values, axes: readonly number[], reduced: Values): Values {
  return { ...reduced, shape: x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)) };
}

async function check(context: Context, name: ReductionName, x: Values, axes: readonly number[]): Promise<void> {
  const want = oracles[name](x, axes);
  const label = `${name} over [${axes.join(', ')}]`;
  const bound = reductionBounds[name];
  await context.check({ label, bound, inputs: [x], run: (ops, [a]) => ops[name](a!, { axes }), want });
  await context.check({
    label: `${label}, counted from the end and kept,`,
    bound,
    inputs: [x],
    run: (ops, [a]) => ops[name](a!, { axes: axes.map((axis) => axis - x.shape.length), keepDims: true }),
    want: withKeptAxes(x, axes, want),
  });
}

const someAxes = (random: Random, rank: number) => {
  const chosen = random.shuffled(Array.from({ length: rank }, (_, axis) => axis));
  return chosen.slice(0, random.integer(1, rank));
};

function reductionCases(name: ReductionName): Case[] {
  return [
    {
      name: `${name} over any axes`,
      async run(context) {
        const { random } = context;
        for (const rank of [1, 2, 3, 4, 5, 6]) {
          await check(context, name, normals(random, random.shape(rank), 10), someAxes(random, rank));
        }
        const matrix = normals(random, [random.integer(2, 9), random.integer(2, 67)]);
        for (const axes of [[0], [1], [0, 1]]) await check(context, name, matrix, axes);
        await context.check({
          label: `${name} of everything`,
          bound: reductionBounds[name],
          inputs: [matrix],
          run: (ops, [a]) => ops[name](a!),
          want: oracles[name](matrix, [0, 1]),
        });
        await check(context, name, normals(random, [1, 5, 1]), [0, 2]);
        await check(context, name, normals(random, [0, 3]), [1]);
      },
    },
    {
      name: `${name} keeps NaN and infinities`,
      async run(context) {
        const rows = [
          [1, NaN, 2],
          [NaN, -Infinity, Infinity],
          [Infinity, 1, 2],
          [-Infinity, -1, -3],
          [-Infinity, -Infinity, -Infinity],
          [1, 2, NaN],
          [NaN, NaN, NaN],
          [-3, -2, -1],
        ];
        await check(context, name, repeated([rows.length, 3], rows.flat()), [1]);
        const columns = [0, 1, 2].flatMap((column) => rows.map((row) => row[column]!));
        await check(context, name, repeated([3, rows.length], columns), [0]);
      },
    },
  ];
}

const furtherCases: Case[] = [
  {
    name: 'sum over an empty axis is 0',
    run: (context) =>
      check(
        context,
        'sum',
        floats([2, 0, 3], () => 0),
        [1],
      ),
  },
  {
    name: 'sum of many terms keeps its bound',
    async run(context) {
      const { random } = context;
      // All positive and alike: a single running f32 sum of a long row drifts, and this is where it shows.
      await check(
        context,
        'sum',
        floats([2, 20_001], () => random.uniform(0.5, 1)),
        [1],
      );
      await check(
        context,
        'sum',
        floats([4099, 3], () => random.normal()),
        [0],
      );
    },
  },
  {
    name: 'argMax is the first maximum',
    async run(context) {
      const { random } = context;
      for (const rank of [1, 2, 3, 4, 5]) {
        // Few distinct values, so that ties are common.
        const x = floats(random.shape(rank), () => random.integer(-3, 3));
        for (let axis = 0; axis < rank; axis++) {
          await context.check({
            label: `argMax along ${axis}`,
            bound: 'integer',
            inputs: [x],
            run: (ops, [a]) => ops.argMax(a!, axis),
            want: argMax(x, axis),
          });
        }
      }
      const x = repeated([3, 4], [-Infinity, -Infinity, -Infinity, -5, Infinity, 1, Infinity, 2, -1, -1, -2, -1]);
      await context.check({
        label: 'argMax along the last axis',
        bound: 'integer',
        inputs: [x],
        run: (ops, [a]) => ops.argMax(a!),
        want: integers([3], (i) => [3, 0, 0][i]!),
      });
    },
  },
];

/** Sums, means and maxima. */
export const reduction: CaseGroup = {
  name: 'reduction',
  cases: [...reductionCases('sum'), ...reductionCases('mean'), ...reductionCases('max'), ...furtherCases],
};
