import { createReferenceBackend } from '@lmd/backends/reference';
import { type Backend, createOperations, type EagerOperations, type Tensor } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { usualOptions } from '../cases/optimizers.js';
import type { CallTrace } from '../traced-backend.js';
import type { SpeedRow } from './messages.js';

interface SpeedTask {
  readonly operation: string;
  readonly size: string;
  /** Creates the operands, and gives the call that is timed. */
  prepare(ops: EagerOperations): () => Tensor;
}

const key = { seed: 1, stream: 2, step: 3, sample: 0 };
const { mxfp6_e3m2: format, mxfp4_e2m1: exactFormat } = formats;

const normal = (ops: EagerOperations, shape: readonly number[]) => ops.randomNormal(shape, key);

function onNormals(
  operation: string,
  shapes: readonly (readonly number[])[],
  run: (ops: EagerOperations, inputs: readonly Tensor[]) => Tensor,
): SpeedTask {
  return {
    operation,
    size: shapes.map((shape) => `[${shape.join(', ')}]`).join(' '),
    prepare(ops) {
      const inputs = shapes.map((shape) => normal(ops, shape));
      return () => ops.scope(() => run(ops, inputs));
    },
  };
}

const adamwOptions = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
  step: 1,
};

const vector = [65_536];
const rows = [128, 256];

const tasks: readonly SpeedTask[] = [
  onNormals('add', [vector, vector], (ops, [a, b]) => ops.add(a!, b!)),
  onNormals('exp', [vector], (ops, [x]) => ops.exp(x!)),
  onNormals('sum', [rows], (ops, [x]) => ops.sum(x!, { axes: 1 })),
  onNormals('transpose', [rows], (ops, [x]) => ops.transpose(x!, [1, 0])),
  onNormals(
    'matmul',
    [
      [128, 128],
      [128, 128],
    ],
    (ops, [a, b]) => ops.matmul(a!, b!),
  ),
  onNormals('softmax', [rows], (ops, [x]) => ops.softmax(x!)),
  onNormals('layerNorm', [rows, [256], [256]], (ops, [x, gain, bias]) => ops.layerNorm(x!, gain!, bias!, 1e-5)),
  onNormals('gelu', [rows], (ops, [x]) => ops.gelu(x!)),
  onNormals(
    'attention',
    [
      [1, 4, 64, 32],
      [1, 4, 64, 32],
      [1, 4, 64, 32],
    ],
    (ops, [q, k, v]) => ops.attention(q!, k!, v!),
  ),
  {
    operation: 'randomNormal',
    size: `[${vector}]`,
    prepare: (ops) => () => normal(ops, vector),
  },
  onNormals(`fakeQuantize ${format.name}`, [rows], (ops, [x]) => ops.fakeQuantize(x!, { format, axis: 1 })),
  onNormals(
    `blockMatmul ${exactFormat.name}`,
    [
      [32, 64],
      [64, 32],
    ],
    (ops, [a, b]) => {
      const left = ops.encodeOperand(a!, { format: exactFormat, axis: 1 });
      return ops.blockMatmul(left, ops.encodeOperand(b!, { format: exactFormat, axis: 0 }));
    },
  ),
  onNormals('adamwUpdate', [vector, vector, vector, vector], (ops, [weights, firstMoment, moment, gradient]) => {
    const secondMoment = ops.absolute(moment!);
    const state = { weights: weights!, firstMoment: firstMoment!, secondMoment };
    return ops.adamwUpdate(state, gradient!, adamwOptions).weights;
  }),
  onNormals(
    'lmdUpdate',
    [[8192], [8192], [8192], [8192], [8192]],
    (ops, [logPlus, logMinus, plus, minus, gradient]) => {
      const state = { logPlus: logPlus!, logMinus: logMinus!, momentumPlus: plus!, momentumMinus: minus! };
      return ops.lmdUpdate(state, [gradient!], [key], ops.full([], -3), usualOptions).logPlus;
    },
  ),
];

/** Milliseconds of one measurement, and how often it is repeated; the fastest counts. */
const enough = 60;
const rounds = 3;

/** Milliseconds of one call, its share of waiting for the last result included. */
async function timeOf(task: SpeedTask, backend: Backend): Promise<number> {
  const ops = createOperations(backend);
  const call = task.prepare(ops);
  const repeat = async (count: number) => {
    const start = performance.now();
    for (let i = 1; i < count; i++) ops.dispose(call());
    const last = call();
    await ops.read(last);
    const elapsed = performance.now() - start;
    ops.dispose(last);
    return elapsed;
  };
  // Compiles kernels and loops.
  await repeat(2);
  const count = Math.max(2, Math.min(1000, Math.ceil(enough / ((await repeat(2)) / 2))));
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) fastest = Math.min(fastest, (await repeat(count)) / count);
  return fastest;
}

/** Times each operation on a backend and on the reference backend, in this process. */
export async function measureSpeed(
  backend: Backend,
  trace: CallTrace,
  onRow: (row: SpeedRow) => Promise<void>,
): Promise<void> {
  for (const task of tasks) {
    const { operation, size } = task;
    // Of the task alone: tracing each call would be measured too.
    trace.begin(`${operation} of ${size}`);
    const milliseconds = await timeOf(task, backend);
    const referenceMilliseconds = await timeOf(task, createReferenceBackend());
    await onRow({ operation, size, milliseconds, referenceMilliseconds });
  }
}
