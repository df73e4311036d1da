import type { OptimizerState, Tensor } from '@lmd/core';
import type { DatasetBatch } from './data/dataset.js';
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
 * Makes a step again, which gives the same values since it is a function of its arguments, and finds the first tensor with a
 * value that is not finite: inputs, state, drawn weights, loss, gradients, updated state. Undefined where all are finite.
 */
export async function findNonFinite(
  context: StepContext,
  state: OptimizerState,
  batch: DatasetBatch,
): Promise<NonFinite | undefined> {
  const input = batch.inputs.data.findIndex((value) => !Number.isFinite(value));
  if (input >= 0) return { tensor: 'inputs', value: batch.inputs.data[input]!, index: input, inState: false };

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
    for (const [name, tensor] of seen) {
      const values = await ops.read(tensor);
      const index = values.findIndex((value) => !Number.isFinite(value));
      if (index >= 0) return { tensor: name, value: values[index]!, index, inState: name.startsWith('state ') };
    }
    return undefined;
  } finally {
    ops.dispose(seen.map(([, tensor]) => tensor));
  }
}
