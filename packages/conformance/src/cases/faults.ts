import type { EagerOperations, Tensor } from '@lmd/core';
import type { BoundName } from '../bounds.js';
import type { Case, CaseGroup, Context } from '../case.js';
import { oracleOperations } from '../oracle/operations.js';
import { floats, integers, normals, type Values } from '../values.js';
import { instancesCase } from './instances.js';

const rows = 5;
const width = 37;

/** Values of which one row holds a NaN and another both infinities. */
function spoilt(context: Context): Values {
  const { data, ...rest } = normals(context.random, [rows, width]);
  const changed = data.slice();
  changed[width + 3] = Number.NaN;
  changed[3 * width + 5] = Number.POSITIVE_INFINITY;
  changed[3 * width + 6] = Number.NEGATIVE_INFINITY;
  return { ...rest, data: changed };
}

type RowWise = (ops: typeof oracleOperations, x: Tensor, factor: Tensor) => Tensor;

const rowWise: readonly (readonly [operation: string, BoundName, RowWise])[] = [
  ['matmul', 'matmul', (ops, x, factor) => ops.matmul(x, factor)],
  ['sum', 'sum', (ops, x) => ops.sum(x, { axes: 1 })],
  ['max', 'extremum', (ops, x) => ops.max(x, { axes: 1 })],
  ['softmax', 'softmax', (ops, x) => ops.softmax(x)],
];

const rowCase: Case = {
  name: 'a NaN or an infinity changes its own row alone',
  async run(context) {
    const x = spoilt(context);
    const factor = normals(context.random, [width, 11]);
    for (const [operation, bound, run] of rowWise) {
      await context.check({
        label: `${operation} of rows with a NaN and infinities`,
        bound,
        inputs: [x, factor],
        run: (ops, [a, b]) => run(ops, a!, b!),
        want: run(oracleOperations, x, factor) as Values,
      });
    }
  },
};

/** Indices whose byte offset overflows 32 bits, where one is computed without a check of the range. */
const far = [2 ** 31 - 1, -(2 ** 31), 2 ** 30, -(2 ** 30), 2 ** 29 + 1, 0x0fff_ffff];

const indexCase: Case = {
  name: 'an index whose offset overflows 32 bits touches no other row',
  async run(context) {
    const x = normals(context.random, [rows, width]);
    const indices = integers([far.length + 2], (i) => [1, ...far, 4][i]!);
    await context.check({
      label: 'gather with indices far out of range',
      bound: 'copy',
      inputs: [x, indices],
      run: (ops, [a, at]) => ops.gather(a!, at!),
      want: oracleOperations.gather(x, indices) as Values,
    });
    const updates = normals(context.random, [far.length + 2, width]);
    await context.check({
      label: 'scatterAdd with indices far out of range',
      bound: 'sum',
      inputs: [indices, updates],
      run: (ops, [at, values]) => ops.scatterAdd(at!, values!, rows),
      want: oracleOperations.scatterAdd(indices, updates, rows) as Values,
    });
  },
};

/** Calls with arguments that core refuses, after which the backend must be as before. */
const refusedCalls: readonly ((ops: EagerOperations, x: Tensor<'f32'>) => unknown)[] = [
  (ops, x) => ops.slice(x, [0, 0], [rows + 1, 1]),
  (ops, x) => ops.reshape(x, [rows + 1, width]),
  (ops, x) => ops.matmul(x, x),
  (ops, x) => ops.transpose(x, [0, 0]),
  (ops, x) => ops.sum(x, { axes: 7 }),
  (ops) => ops.randomNormal([2], { seed: -1, stream: 0, step: 0, sample: 0 }),
  (ops) => ops.fromData([1, 2, 3], [2, 2]),
];

const refusalCase: Case = {
  name: 'a refused call leaves nothing behind, and the next one is right',
  async run(context) {
    const { ops, backend, fail } = context;
    const values = normals(context.random, [rows, width]);
    const x = context.upload(values) as Tensor<'f32'>;
    const before = backend.memory();
    for (const [index, call] of refusedCalls.entries()) {
      let refused = false;
      try {
        ops.scope(() => call(ops, x) as undefined);
      } catch {
        refused = true;
      }
      if (!refused) fail(`refused call ${index} was accepted`);
    }
    const after = backend.memory();
    if (after.tensors !== before.tensors || after.bytes !== before.bytes) {
      fail(
        `refused calls leave ${after.tensors - before.tensors} tensors (${after.bytes - before.bytes} bytes) behind`,
      );
    }
    await context.check({
      label: 'negate after refused calls',
      bound: 'arithmetic',
      inputs: [values],
      run: (other, [a]) => other.negate(a!),
      want: oracleOperations.negate(values) as Values,
    });
  },
};

const changedArgumentsCase: Case = {
  name: 'arguments that the caller changes after the call do not change the result',
  async run(context) {
    const { ops } = context;
    const values = normals(context.random, [rows, width]);
    const x = context.upload(values);
    const [begin, size, permutation, shape, target] = [
      [1, 2],
      [3, 4],
      [1, 0],
      [width, rows],
      [2, rows, width],
    ];
    const key = context.random.key();
    const asked = { ...key };
    const results: [string, Tensor, Values][] = [
      ['slice', ops.slice(x, begin, size), oracleOperations.slice(values, [1, 2], [3, 4]) as Values],
      ['transpose', ops.transpose(x, permutation), oracleOperations.transpose(values, [1, 0]) as Values],
      ['reshape', ops.reshape(x, shape), oracleOperations.reshape(values, [width, rows]) as Values],
      ['broadcastTo', ops.broadcastTo(x, target), oracleOperations.broadcastTo(values, [2, rows, width]) as Values],
      ['pad', ops.pad(x, begin, size), oracleOperations.pad(values, [1, 2], [3, 4]) as Values],
      ['randomBits', ops.randomBits([9], asked), oracleOperations.randomBits([9], key) as Values],
    ];
    for (const list of [begin, size, permutation, shape, target]) list.fill(0);
    Object.assign(asked, { seed: 0, stream: 0, step: 0, sample: 0 });
    for (const [operation, tensor, want] of results) {
      await context.compare(`${operation} whose arguments change after the call`, tensor, want, 'copy');
      ops.dispose(tensor);
    }
  },
};

const concurrentReadsCase: Case = {
  name: 'reads started together give each its own contents',
  async run(context) {
    const { ops, random, fail } = context;
    const wanted = Array.from({ length: 48 }, (_, i) => floats([1 + (i % 7), 3], () => random.normal()));
    const tensors = wanted.map((values) => context.upload(values));
    // Disposed and replaced in between, so that a read that is late would find other contents.
    const reads = tensors.map((tensor) => {
      const read = ops.read(tensor);
      ops.dispose(tensor);
      ops.dispose(ops.full(tensor.shape, -1));
      return read;
    });
    for (const [i, data] of (await Promise.all(reads)).entries()) {
      const same = data.length === wanted[i]!.data.length && data.every((value, j) => value === wanted[i]!.data[j]);
      if (!same) fail(`read ${i} of ${wanted.length} started together gives other contents`);
    }
  },
};

/** What goes wrong in one place must stay there. */
export const faults: CaseGroup = {
  name: 'faults',
  cases: [rowCase, indexCase, refusalCase, changedArgumentsCase, concurrentReadsCase, instancesCase],
};
