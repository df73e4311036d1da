import { type Backend, createOperations, type EagerOperations, isLmdError, type Tensor } from '@lmd/core';
import type { Case, Context } from '../case.js';
import { oracleOperations } from '../oracle/operations.js';
import { normals, type Values } from '../values.js';

const [rows, inner, columns] = [5, 7, 3];

/** What is computed in turn with the other instances: two factors, and their product. */
interface Work {
  readonly instance: string;
  readonly ops: EagerOperations;
  readonly wanted: readonly (readonly [label: string, values: Values])[];
  readonly tensors: readonly Tensor[];
}

function begin({ random }: Context, instance: string, ops: EagerOperations): Work {
  const [a, b] = [normals(random, [rows, inner]), normals(random, [inner, columns])];
  const [x, y] = [a, b].map(({ data, shape }) => ops.fromData(new Float32Array(data), shape));
  const wanted = [
    ['fromData', a],
    ['matmul', oracleOperations.matmul(a, b) as Values],
  ] as const;
  const product = ops.matmul(x!, y!);
  ops.dispose(y!);
  return { instance, ops, wanted, tensors: [x!, product] };
}

async function checkWork({ compare }: Context, { instance, ops, wanted, tensors }: Work, when: string) {
  for (const [i, [label, values]] of wanted.entries()) {
    const bound = label === 'matmul' ? 'matmul' : 'copy';
    await compare(`${label} of ${instance}${when}`, tensors[i]!, values, bound, ops.backend);
  }
}

/** A handle of another instance is refused by an error with a code, or taken for what it is. */
async function checkForeign({ fail }: Context, backend: Backend, foreign: Tensor<'f32'>, values: Values) {
  for (const operation of ['read', 'negate'] as const) {
    const label = `${operation} of a handle of another instance`;
    let data: ArrayLike<number>;
    try {
      if (operation === 'read') data = await backend.read(foreign);
      else {
        const made = backend.negate(foreign);
        data = Array.from(await backend.read(made), (value) => -value);
        backend.dispose(made);
      }
    } catch (error) {
      if (isLmdError(error)) continue;
      return fail(`${label} fails with ${String(error)}, which is no LmdError`);
    }
    const same = data.length === values.data.length && values.data.every((value, i) => value === data[i]);
    if (!same) fail(`${label} gives other contents: refuse it by an LmdError, or take it for what it is`);
  }
}

/**
 * Three instances compute in turn, and one is closed in between. A `create` that gives the same backend each time has
 * one instance, which is not closed.
 */
export const instancesCase: Case = {
  name: 'instances beside each other compute alone, and closing one leaves the others alone',
  async run(context) {
    const { backend, ops, fail } = context;
    const others = [await context.createAnother(), await context.createAnother()];
    const open = new Set(others.filter((other) => other !== backend));
    const close = async (other: Backend) => {
      if (open.delete(other)) await other.close?.();
    };
    try {
      const all = [ops, ...others.map((other) => createOperations(other))];
      const before = all.map(({ backend: one }) => one.memory());
      const works = ['the first instance', 'the second', 'the third'].map((name, i) => begin(context, name, all[i]!));
      for (const work of works) await checkWork(context, work, ' beside the others');
      for (const [i, one] of all.entries()) {
        const next = works[(i + 1) % works.length]!;
        const foreign = next.tensors[0] as Tensor<'f32'>;
        await checkForeign(context, one.backend, foreign, next.wanted[0]![1]);
      }
      const [first, second, third] = works as [Work, Work, Work];
      second.ops.dispose(second.tensors);
      await close(second.ops.backend);
      for (const work of [first, third]) {
        await checkWork(context, work, ' after close() of another');
        const again = begin(context, work.instance, work.ops);
        await checkWork(context, again, ', computed after close() of another');
        work.ops.dispose([...work.tensors, ...again.tensors]);
      }
      for (const [i, one] of [first, undefined, third].entries()) {
        if (one === undefined) continue;
        const { tensors, bytes } = one.ops.backend.memory();
        if (tensors === before[i]!.tensors && bytes === before[i]!.bytes) continue;
        fail(`memory() of ${one.instance} is ${tensors} tensors (${bytes} bytes) after close() of another`);
      }
    } finally {
      for (const other of open) await close(other);
    }
  },
};
