import type { EagerOperations, NamedTensors, OptimizerState, Pass, Tensor } from '@lmd/core';
import type { CheckedBatch } from './data/check-batch.js';
import { enqueueStep, type StepContext } from './step.js';

export interface NonFinite {
  /** Such as `gradient of blocks.0.mlp.up.weight`. */
  readonly tensor: string;
  /** NaN, Infinity or -Infinity. */
  readonly value: number;
  /** Index in the tensor, row-major. */
  readonly index: number;
  /** Whether the state before the step is already invalid, so that no good state exists. */
  readonly inState: boolean;
}

/**
 * Repeats a step, which is deterministic, and finds the first tensor with a non-finite value: inputs, state, sampled
 * weights, loss, gradients, updated state. Undefined if all are finite.
 */
export async function findNonFinite(
  context: StepContext,
  state: OptimizerState,
  batch: CheckedBatch,
): Promise<NonFinite | undefined> {
  const input = nonFiniteInput(batch);
  if (input !== undefined) return input;
  const { ops } = context;
  const seen: [string, Tensor][] = [];
  try {
    const inspect = (name: string, tensor: Tensor) => {
      // A second handle to the same values, since the step frees the first.
      seen.push([name, ops.keep(ops.reshape(tensor, tensor.shape))]);
    };
    const { state: next, report } = enqueueStep(context, state, batch, { inspect });
    ops.dispose(next.tensors);
    ops.dispose(report);
    return await findNonFiniteIn(ops, seen);
  } finally {
    ops.dispose(seen.map(([, tensor]) => tensor));
  }
}

/** The same before the update, with the given passes: the step is not repeated; only the weights are sampled again. */
export async function findNonFiniteBefore(
  { ops, optimizer }: StepContext,
  state: OptimizerState,
  batch: CheckedBatch,
  { loss, passes }: { readonly loss: Tensor; readonly passes: readonly Pass[] },
): Promise<NonFinite | undefined> {
  const input = nonFiniteInput(batch) ?? (await findNonFiniteIn(ops, namesOf('state', state.tensors)));
  if (input !== undefined) return input;
  for (const { key } of passes) {
    const drawn = optimizer.draw(ops, state, key);
    try {
      const found = await findNonFiniteIn(ops, namesOf('drawn weight', drawn));
      if (found !== undefined) return found;
    } finally {
      ops.dispose(drawn);
    }
  }
  const gradients = passes.flatMap((pass) => namesOf('gradient of', pass.gradients));
  return findNonFiniteIn(ops, [['loss', loss], ...gradients]);
}

/** Tensors with their names in error messages. */
export function namesOf(kind: string, tensors: NamedTensors): [string, Tensor][] {
  return Object.entries(tensors).map(([name, tensor]) => [`${kind} ${name}`, tensor]);
}

/** The first tensor with a non-finite value. Tensors are read one at a time. */
export async function findNonFiniteIn(
  ops: EagerOperations,
  tensors: readonly (readonly [string, Tensor])[],
): Promise<NonFinite | undefined> {
  for (const [name, tensor] of tensors) {
    const values = await ops.read(tensor);
    const index = values.findIndex((value) => !Number.isFinite(value));
    if (index >= 0) return { tensor: name, value: values[index]!, index, inState: name.startsWith('state ') };
  }
  return undefined;
}

function nonFiniteInput({ inputs: { data } }: CheckedBatch): NonFinite | undefined {
  const index = data.findIndex((value) => !Number.isFinite(value));
  return index < 0 ? undefined : { tensor: 'inputs', value: data[index]!, index, inState: false };
}
