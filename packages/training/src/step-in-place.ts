import { type NamedTensors, type OptimizerState, type Pass, type Tensor, weightOf } from '@lmd/core';
import type { CheckedBatch } from './data/check-batch.js';
import { enqueuePasses, reportOf, type StepContext, type StepHooks } from './step.js';

/**
 * Loss and gradients of a step before its update. The caller frees `report`; `update` or `dispose` frees the gradients.
 */
export interface PendingStep {
  readonly loss: Tensor;
  /** The loss of each posterior sample. */
  readonly losses: readonly Tensor[];
  readonly passes: readonly Pass[];
  /** f32 [2]: the loss, and a number that is finite when loss and gradients are (see `reportOf`). */
  readonly report: Tensor;
  /**
   * Runs the update and frees gradients and old state, weight by weight as soon as they are no longer needed. `report`
   * is as above, for the new state. They are also freed if it throws.
   */
  update(): { readonly state: OptimizerState; readonly report: Tensor };
  dispose(): void;
}

/** Enqueues a step up to its update; bit-identical to `enqueueStep`. */
export function enqueuePendingStep(
  context: StepContext,
  state: OptimizerState,
  batch: CheckedBatch,
  hooks: Pick<StepHooks, 'onPasses' | 'onGradient'>,
): PendingStep {
  const { ops, optimizer } = context;
  const { loss, losses, passes, report } = ops.scope(() => {
    const pending = enqueuePasses(context, state, batch, hooks);
    const report = reportOf(
      ops,
      pending.loss,
      pending.passes.map(({ gradients }) => gradients),
    );
    const kept = [
      pending.loss,
      ...pending.losses,
      report,
      ...pending.passes.flatMap(({ gradients }) => Object.values(gradients)),
    ];
    for (const tensor of kept) ops.keep(tensor);
    return { ...pending, report };
  });

  return {
    loss,
    losses,
    passes,
    report,
    update() {
      const left = usedUpBy(state.tensors, passes);
      const free = (weight: string) => {
        ops.dispose(left.get(weight) ?? []);
        left.delete(weight);
      };
      try {
        return ops.scope(() => {
          const next = optimizer.update(ops, state, passes, free);
          const report = ops.keep(reportOf(ops, loss, [next.tensors]));
          for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
          return { state: next, report };
        });
      } finally {
        for (const weight of [...left.keys()]) free(weight);
        ops.dispose([loss, ...losses]);
      }
    },
    dispose() {
      ops.dispose([loss, ...losses]);
      for (const { gradients } of passes) ops.dispose(gradients);
    },
  };
}

/** The tensors of the state and the gradients that an update no longer needs, by weight. */
function usedUpBy(state: NamedTensors, passes: readonly Pass[]): Map<string, Tensor[]> {
  const tensors = new Map<string, Tensor[]>();
  const add = (weight: string, tensor: Tensor) => {
    const found = tensors.get(weight);
    if (found === undefined) tensors.set(weight, [tensor]);
    else found.push(tensor);
  };
  for (const [name, tensor] of Object.entries(state)) add(weightOf(name), tensor);
  for (const { gradients } of passes) {
    for (const [weight, gradient] of Object.entries(gradients)) add(weight, gradient);
  }
  return tensors;
}
