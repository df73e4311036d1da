import {
  adamw,
  type EagerOperations,
  LmdError,
  lmd,
  type Optimizer,
  type OptionTable,
  option,
  type ResolvedOptions,
  type Schedule,
  schedules,
  sgd,
} from '@lmd/core';
import { type ExampleProgress, network, type Pictures } from '@lmd/example-shared';
import { orthogonalProjection } from '../orthogonal-projection.js';
import { permuted } from './permuted.js';
import { type KnownDirections, trainTasks } from './train-tasks.js';

export const continualOptionTable = {
  tasks: option.integer({ atLeast: 2, default: 5, describe: 'Number of tasks.' }),
  steps: option.integer({ atLeast: 1, default: 300, describe: 'Number of training steps per task.' }),
  batch: option.integer({ atLeast: 1, default: 64, describe: 'Number of pictures per step.' }),
  images: option.integer({ atLeast: 64, default: 20000, describe: 'Number of training pictures.' }),
  width: option.integer({ atLeast: 1, default: 256, describe: 'Width of the two hidden layers.' }),
  share: option.number({
    ...{ above: 0, atMost: 1, default: 0.8 },
    describe: 'Fraction of the input directions of each layer that all tasks but the last protect together.',
  }),
  hebbian: option.integer({ atLeast: 1, default: 400, describe: 'Number of Hebbian updates per task and layer.' }),
  seed: option.integer({ atLeast: 0, default: 0, describe: 'Seed of the weights, the tasks and the data order.' }),
} as const satisfies OptionTable;

export type ContinualOptions = ResolvedOptions<typeof continualOptionTable>;

const optimizers: { readonly [name: string]: (learningRate: (peak: number) => Schedule) => Optimizer } = {
  sgd: (rate) => sgd({ learningRate: rate(0.05) }),
  adamw: (rate) => adamw({ learningRate: rate(1e-3), weightDecay: 0 }),
  lmd: (rate) => lmd({ learningRate: rate(1e-2), regularization: 0.3, noise: 0.1 }),
};
export const optimizerNames = Object.keys(optimizers);

export const projections = ['none', 'gradients', 'weights'] as const;

export interface ContinualResult {
  readonly optimizer: string;
  readonly projection: (typeof projections)[number];
  /** Test accuracy on task j after task i, for j ≤ i. */
  readonly accuracies: readonly (readonly number[])[];
  /** Over all tasks, after the last. */
  readonly averageAccuracy: number;
  /** The largest accuracy on a task minus that after the last task, averaged over all tasks but the last. */
  readonly forgetting: number;
  /** Bytes of the optimizer's state. */
  readonly stateBytes: number;
}

/** Trains on permuted digits with every optimizer, without a projection and with either kind. */
export async function continual(
  ops: EagerOperations,
  data: { readonly train: Pictures; readonly test: Pictures },
  options: ContinualOptions,
  { report }: Pick<ExampleProgress, 'report'>,
): Promise<readonly ContinualResult[]> {
  const { steps, batch, seed, width, hebbian } = options;
  const classes = 1 + data.train.labels.reduce((largest, label) => Math.max(largest, label), 0);
  const net = network([data.train.pixels, width, width, classes]);
  const rows = Object.fromEntries(
    Object.entries(net.shapes).map(([name, [inputs]]) => [name, rowsPerTask(name, inputs, options)]),
  );
  const tasks = Array.from({ length: options.tasks }, (_, task) => ({
    train: permuted(data.train, seed, task),
    test: permuted(data.test, seed, task),
  }));
  const runs = optimizerNames.flatMap((name) => projections.map((projection) => ({ name, projection })));
  // An update of a subspace takes about as long as a step.
  const updates = (tasks.length - 1) * hebbian * Object.keys(net.shapes).length;
  const total = optimizerNames.length * (projections.length * tasks.length * steps + 2 * updates);
  const results: ContinualResult[] = [];
  let done = 0;
  for (const { name, projection } of runs) {
    const cosine = (peak: number) => schedules.cosine({ from: peak, to: 0.05 * peak, steps });
    const inner = optimizers[name]!(cosine);
    const optimizerOf = (known: KnownDirections) =>
      projection === 'none'
        ? inner
        : orthogonalProjection(inner, { directions: (weight) => known[weight], project: projection });
    const { accuracies, bytes } = await trainTasks(ops, net, tasks, optimizerOf, {
      ...{ steps, batch, seed },
      subspaceOf: projection === 'none' ? undefined : (weight) => ({ rows: rows[weight]!, steps: hebbian, seed }),
      async onStep(task) {
        done += 1;
        await report(done, total, `${name}, projection: ${projection}, task ${task + 1}`);
      },
    });
    results.push({ optimizer: name, projection, accuracies, ...summaryOf(accuracies), stateBytes: bytes });
  }
  return results;
}

export function summaryOf(accuracies: readonly (readonly number[])[]): {
  readonly averageAccuracy: number;
  readonly forgetting: number;
} {
  const last = accuracies.at(-1)!;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const lost = last.slice(0, -1).map((value, j) => Math.max(...accuracies.slice(j).map((row) => row[j]!)) - value);
  return { averageAccuracy: mean(last), forgetting: mean(lost) };
}

function rowsPerTask(name: string, inputs: number, { share, tasks }: ContinualOptions): number {
  const rows = Math.floor((share * inputs) / (tasks - 1));
  if (rows > 0) return rows;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `continual: share is ${share}: no direction of "${name}" for ${tasks} tasks.`,
    {
      subject: 'share',
      value: share,
      remedy: `Use at least ${((tasks - 1) / inputs).toFixed(3)}, or fewer tasks.`,
    },
  );
}
