import { disposeState, type EagerOperations, type NamedTensors, type Optimizer, stateBytes } from '@lmd/core';
import { accuracyOf, type Network, type Pictures, trainingStep } from '@lmd/example-shared';
import { dataOrder } from '@lmd/training';
import { type HebbianOptions, hebbianSubspace } from '../hebbian-subspace.js';

export interface TaskPair {
  readonly train: Pictures;
  readonly test: Pictures;
}

export interface TrainTasksOptions {
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  /** How the subspace of a weight's inputs is learnt after each task but the last; undefined protects none. */
  readonly subspaceOf?: ((weight: string) => HebbianOptions) | undefined;
  /** Called after each update of weights or of a subspace. */
  readonly onStep: (task: number) => Promise<void>;
}

/** Protected directions by weight, row-major [directions, inputs]. */
export type KnownDirections = { readonly [weight: string]: Float32Array };

/** Inputs of a layer from which its subspace is learnt. */
const subspaceInputs = 4000;

/**
 * Trains one network on one task after another, each with an optimizer of its own.
 *
 * @param optimizerOf the optimizer of a task, from the directions to protect.
 * @returns the test accuracies on tasks 0 … i after each task i, and the bytes of the last optimizer's state.
 */
export async function trainTasks(
  ops: EagerOperations,
  network: Network,
  tasks: readonly TaskPair[],
  optimizerOf: (known: KnownDirections) => Optimizer,
  options: TrainTasksOptions,
): Promise<{ readonly accuracies: readonly (readonly number[])[]; readonly bytes: number }> {
  let weights = network.initialize(ops, options.seed);
  let known: KnownDirections = {};
  let bytes = 0;
  const accuracies: number[][] = [];
  try {
    for (const [task, { train }] of tasks.entries()) {
      const trained = await trainTask(ops, network, train, task, weights, optimizerOf(known), options);
      ops.dispose(weights);
      ({ weights, bytes } = trained);
      const row: number[] = [];
      for (const { test } of tasks.slice(0, task + 1)) row.push(await accuracyOf(ops, network, weights, test));
      accuracies.push(row);
      if (task < tasks.length - 1) known = await learnDirections(ops, network, train, task, weights, known, options);
    }
    return { accuracies, bytes };
  } finally {
    ops.dispose(weights);
  }
}

async function trainTask(
  ops: EagerOperations,
  network: Network,
  pictures: Pictures,
  task: number,
  weights: NamedTensors,
  optimizer: Optimizer,
  { steps, batch, seed, onStep }: TrainTasksOptions,
): Promise<{ readonly weights: NamedTensors; readonly bytes: number }> {
  let state = await optimizer.init(ops, weights);
  try {
    const { batchAt } = dataOrder({ size: pictures.labels.length, batchSize: batch, seed });
    for (let step = 0; step < steps; step += 1) {
      const key = { seed, step: task * steps + step, sample: 0 };
      const { indices } = batchAt(key.step);
      const next = trainingStep(ops, network, optimizer, state, { pictures, indices, key });
      disposeState(ops, state);
      state = next;
      await onStep(task);
    }
    return { weights: optimizer.weights(ops, state), bytes: stateBytes(state) };
  } finally {
    disposeState(ops, state);
  }
}

/** The known directions with those of the inputs of a task. */
async function learnDirections(
  ops: EagerOperations,
  network: Network,
  train: Pictures,
  task: number,
  weights: NamedTensors,
  known: KnownDirections,
  { subspaceOf, onStep }: TrainTasksOptions,
): Promise<KnownDirections> {
  if (subspaceOf === undefined) return known;
  const inputs = inputsOf(ops, network, weights, train);
  const result: Record<string, Float32Array> = {};
  try {
    for (const [name, x] of Object.entries(inputs)) {
      const width = x.shape[1]!;
      const before = known[name] ?? new Float32Array();
      const protectedAlready = before.length === 0 ? undefined : ops.fromData(before, [before.length / width, width]);
      const learnt = await hebbianSubspace(ops, x, subspaceOf(name), protectedAlready, () => onStep(task)).finally(
        () => {
          if (protectedAlready !== undefined) ops.dispose(protectedAlready);
        },
      );
      result[name] = Float32Array.from([...before, ...(await ops.read(learnt))]);
      ops.dispose(learnt);
    }
    return result;
  } finally {
    ops.dispose(inputs);
  }
}

/** The input of each product for the first pictures of a task. */
function inputsOf(
  ops: EagerOperations,
  network: Network,
  weights: NamedTensors,
  { images, pixels, labels }: Pictures,
): NamedTensors {
  const count = Math.min(subspaceInputs, labels.length);
  return ops.scope(() => {
    const x = ops.fromData(images.subarray(0, count * pixels), [count, pixels]);
    return network.forward(ops, weights, x).inputs;
  });
}
