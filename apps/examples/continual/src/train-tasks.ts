import {
  disposeState,
  type EagerOperations,
  type NamedTensors,
  type Optimizer,
  type OptimizerState,
  stateBytes,
} from '@lmd/core';
import { accuracyOf, type Network, type Pictures, trainingStep } from '@lmd/example-shared';
import { dataOrder } from '@lmd/training';
import type { HebbianOptions } from './hebbian-subspace.js';
import type { ProjectedOptimizer } from './orthogonal-projection.js';

export interface TaskPair {
  readonly train: Pictures;
  readonly test: Pictures;
}

export interface TrainTasksOptions {
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  /** How the subspace of a weight's inputs is learnt after each task but the last. */
  readonly subspaceOf: (weight: string) => HebbianOptions;
  /** Called after each update of weights or of a subspace. */
  readonly onStep: (task: number) => Promise<void>;
}

/** Inputs of a layer from which its subspace is learnt. */
const subspaceInputs = 4000;
/**
 * Trains one network on one task after another. The optimizer begins each task anew from the weights: its momentum
 * holds gradients of the task before, and steps along those are not projected.
 *
 * @returns the test accuracies on tasks 0 … i after each task i, and the bytes of the optimizer's state.
 */
export async function trainTasks(
  ops: EagerOperations,
  network: Network,
  tasks: readonly TaskPair[],
  optimizer: Optimizer | ProjectedOptimizer,
  { steps, batch, seed, subspaceOf, onStep }: TrainTasksOptions,
): Promise<{ readonly accuracies: readonly (readonly number[])[]; readonly bytes: number }> {
  const initial = network.initialize(ops, seed);
  let state = await optimizer.init(ops, initial);
  ops.dispose(initial);
  const replace = (next: OptimizerState) => {
    disposeState(ops, state);
    state = next;
  };
  const accuracies: number[][] = [];
  try {
    for (const [task, { train }] of tasks.entries()) {
      const { batchAt } = dataOrder({ size: train.labels.length, batchSize: batch, seed });
      for (let step = 0; step < steps; step += 1) {
        const key = { seed, step: task * steps + step, sample: 0 };
        replace(
          trainingStep(ops, network, optimizer, state, { pictures: train, indices: batchAt(key.step).indices, key }),
        );
        await onStep(task);
      }
      const weights = optimizer.weights(ops, state);
      try {
        const row: number[] = [];
        for (const { test } of tasks.slice(0, task + 1)) row.push(await accuracyOf(ops, network, weights, test));
        accuracies.push(row);
        if (task === tasks.length - 1) break;
        if (!('protect' in optimizer)) replace(await optimizer.init(ops, weights));
        else {
          const inputs = inputsOf(ops, network, weights, train);
          try {
            replace(await optimizer.protect(ops, state, inputs, subspaceOf, () => onStep(task)));
          } finally {
            ops.dispose(inputs);
          }
        }
      } finally {
        ops.dispose(weights);
      }
    }
    return { accuracies, bytes: stateBytes(state) };
  } finally {
    disposeState(ops, state);
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
