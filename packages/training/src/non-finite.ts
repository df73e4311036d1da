import type { EagerOperations, NamedTensors, OptimizerState, Pass, Tensor } from '@lmd/core';
import type { CheckedBatch } from './data/check-batch.js';
import { enqueueStep, type StepContext } from './step.js';

export interface NonFinite {
  /** As in `gradient of blocks.0.mlp.up.weight`. */
  readonly tensor: string;
  /** NaN, Infinity or -Infinity. */
  readonly value: number;
  /** Where in the tensor, row-major. */
  readonly index: number;
  /** True where the state before the step is at fault, so that there is no good state left. */
  readonly inState: boolean;
}

/**
 * Makes a step again, which gives the same values since it is a function of its arguments, and finds the first tensor
 * with a value that is not finite: inputs, state, drawn weights, loss, gradients, updated state. Undefined where all
 * are finite.
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
      // A second handle on the same values, since the step frees its own.
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

/** The same before the update, of passes at hand: no step is made again, only the weights are drawn once more. */
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

/** Tensors under the names that an error gives them. */
export function namesOf(kind: string, tensors: NamedTensors): [string, Tensor][] {
  return Object.entries(tensors).map(([name, tensor]) => [`${kind} ${name}`, tensor]);
}

/** The first that holds a value that is not finite. One after the other is read. */
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
