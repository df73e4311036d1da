import type { Case, CaseGroup, Context } from '../case.js';
import * as oracle from '../oracle/shapes.js';
import { floats, integers, type Values } from '../values.js';
import { contents } from './contents.js';

/** How many rows a gather takes from, and shapes of indices and rows. */
function indexings(context: Context): { rows: number; indexShape: number[]; rest: number[] }[] {
  const { random } = context;
  return [
    { rows: 4, indexShape: [3], rest: [2] },
    { rows: 1, indexShape: [], rest: [5] },
    { rows: 5, indexShape: [7], rest: [] },
    { rows: 3, indexShape: [2, 4], rest: [3, 2] },
    { rows: 3, indexShape: [0], rest: [2] },
    { rows: random.integer(1, 9), indexShape: random.shape(2, 40), rest: random.shape(random.integer(0, 2), 12) },
  ];
}

const gatherCase: Case = {
  name: 'gather rows',
  async run(context) {
    const { random } = context;
    for (const { rows, indexShape, rest } of indexings(context)) {
      const indices = integers(indexShape, () => random.integer(0, rows - 1));
      await checkGather(context, contents(random, [rows, ...rest])[0], indices);
    }
  },
};

const gatherRangeCase: Case = {
  name: 'gather gives NaN rows for indices out of range',
  async run(context) {
    const x = floats([3, 2], (i) => i + 1);
    await checkGather(
      context,
      x,
      integers([6], (i) => [0, 3, -1, 2, 2147483647, -2147483648][i]!),
    );
  },
};

function checkGather(context: Context, x: Values, indices: Values): Promise<void> {
  return context.check({
    label: 'gather',
    bound: 'copy',
    inputs: [x, indices],
    run: (ops, [a, at]) => ops.gather(a!, at!),
    want: oracle.gather(x, indices),
  });
}

function checkScatter(context: Context, indices: Values, updates: Values, rows: number): Promise<void> {
  return context.check({
    label: `scatterAdd into ${rows} rows`,
    bound: 'sum',
    inputs: [indices, updates],
    run: (ops, [at, values]) => ops.scatterAdd(at!, values!, rows),
    want: oracle.scatterAdd(indices, updates, rows),
  });
}

const scatterCase: Case = {
  name: 'scatterAdd to distinct rows',
  async run(context) {
    const { random } = context;
    for (const rows of [1, 4, 9]) {
      const order = random.shuffled(Array.from({ length: rows }, (_, row) => row)).slice(0, random.integer(1, rows));
      const updates = floats([order.length, 3], () => random.normal());
      await checkScatter(
        context,
        integers([order.length], (i) => order[i]!),
        updates,
        rows,
      );
    }
  },
};

const scatterRepeatCase: Case = {
  name: 'scatterAdd adds up repeated rows',
  async run(context) {
    const { random } = context;
    for (const { rows, indexShape, rest } of indexings(context)) {
      const indices = integers(indexShape, () => random.integer(0, rows - 1));
      await checkScatter(
        context,
        indices,
        floats([...indexShape, ...rest], () => random.normal()),
        rows,
      );
    }
    await checkScatter(
      context,
      integers([50], (i) => i % 3),
      floats([50, 2], () => random.normal()),
      4,
    );
  },
};

const scatterRangeCase: Case = {
  name: 'scatterAdd ignores indices out of range',
  async run(context) {
    const indices = integers([6], (i) => [0, 3, -1, 2, 2147483647, -2147483648][i]!);
    await checkScatter(
      context,
      indices,
      floats([6, 2], (i) => i + 1),
      3,
    );
    await checkScatter(
      context,
      integers([2], () => 5),
      floats([2, 2], () => NaN),
      3,
    );
  },
};

/** Rows taken and added at indices. */
export const indexing: CaseGroup = {
  name: 'indexing',
  cases: [gatherCase, gatherRangeCase, scatterCase, scatterRepeatCase, scatterRangeCase],
};
