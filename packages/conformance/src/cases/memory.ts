import { type BackendMemory, bytesPerElement, sizeOf, type Tensor } from '@lmd/core';
import type { Case, CaseGroup, Context } from '../case.js';
import { normals } from '../values.js';
import { allowedOperands, type Callable, calls, readRule, uploaded } from './primitive-calls.js';

/** What the backend holds may not differ from `before`. */
function checkReturned({ backend, fail }: Context, label: string, before: BackendMemory) {
  const { tensors, bytes } = backend.memory();
  if (tensors === before.tensors && bytes === before.bytes) return;
  fail(`${label}: memory() is ${tensors} tensors (${bytes} bytes), and was ${before.tensors} (${before.bytes})`);
}

/** Results of these may share the contents of the operand, which are then counted once. */
const mayShare: readonly Callable[] = ['reshape', 'transpose', 'slice', 'broadcastTo', 'cast'];

const primitivesCase: Case = {
  name: 'each primitive adds one handle and its bytes, until it is freed',
  async run(context) {
    const { ops, backend, fail } = context;
    for (const name of Object.keys(calls) as Callable[]) {
      const { tensors, asked = [undefined] } = readRule(name);
      const operands = uploaded(context, allowedOperands(tensors)[0]!);
      const before = backend.memory();
      const made = calls[name](ops, operands, asked[0] ?? 'f32');
      const after = backend.memory();
      if (after.tensors !== before.tensors + 1)
        fail(`${name} adds ${after.tensors - before.tensors} tensors, expected 1`);
      const bytes = sizeOf(made.shape) * bytesPerElement[made.dtype];
      if (!mayShare.includes(name) && after.bytes < before.bytes + bytes) {
        fail(`${name} adds ${after.bytes - before.bytes} bytes to memory(), expected at least ${bytes}`);
      }
      ops.dispose(made);
      checkReturned(context, `dispose of the result of ${name}`, before);
      for (const tensor of Object.values(operands)) ops.dispose(tensor);
    }
  },
};

/** Calls that give no tensor of their own, beside what they read. */
const readCase: Case = {
  name: 'read and memory() add nothing',
  async run(context) {
    const { ops, backend } = context;
    const x = context.upload(normals(context.random, [33]));
    const before = backend.memory();
    await Promise.all([ops.read(x), ops.read(x), ops.read(x)]);
    checkReturned(context, 'read', before);
  },
};

const often = 20_000;
const held = 500;

const countersCase: Case = {
  name: 'memory() answers from counters: it is called after every operation',
  async run(context) {
    const { ops, backend, fail } = context;
    const tensors: Tensor[] = [];
    for (let i = 0; i < held; i++) tensors.push(ops.full([7], i));
    const before = backend.memory();
    const start = performance.now();
    for (let i = 0; i < often; i++) backend.memory();
    const microseconds = ((performance.now() - start) / often) * 1000;
    // A counter takes well below one; a walk over the tensors, or a question to a device, far more.
    if (microseconds > 100) {
      fail(`memory() takes ${microseconds.toFixed(0)} µs with ${held} tensors held: answer from counters`);
    }
    checkReturned(context, 'memory', before);
    ops.dispose(tensors);
  },
};

/** A loop as in training: a product, a reduction, rows taken and added, and a weight that is replaced. */
const loopCase: Case = {
  name: 'a hundred steps of a loop hold what two of them hold',
  async run(context) {
    const { ops, backend, random, fail } = context;
    const x = context.upload(normals(random, [8, 6]));
    const rows = ops.fromData([0, 3, 7], [3], 'i32');
    let weight = ops.scope(() => ops.multiply(ops.randomNormal([6, 4], random.key()), 0.1));
    let second = backend.memory();
    for (let step = 0; step < 100; step++) {
      const next = ops.scope(() => {
        const y = ops.tanh(ops.matmul(x, weight));
        const chosen = ops.gather(y, rows);
        const spread = ops.scatterAdd(rows, chosen, 8);
        const gradient = ops.matmul(x, ops.subtract(spread, ops.mean(y, { axes: 0, keepDims: true })), {
          transposeA: true,
        });
        return ops.subtract(weight, ops.multiply(gradient, 0.01));
      });
      ops.dispose(weight);
      weight = next;
      // Results are awaited now and then, as a loss is.
      if (step % 10 === 0) await ops.read(weight);
      if (step === 1) second = backend.memory();
    }
    const { tensors, bytes } = backend.memory();
    if (tensors !== second.tensors || bytes > second.bytes) {
      fail(`after 100 steps: ${tensors} tensors (${bytes} bytes); after 2: ${second.tensors} (${second.bytes} bytes)`);
    }
    ops.dispose([weight, rows]);
  },
};

/** What the backend says it holds. */
export const memory: CaseGroup = {
  name: 'memory',
  cases: [primitivesCase, readCase, countersCase, loopCase],
};
