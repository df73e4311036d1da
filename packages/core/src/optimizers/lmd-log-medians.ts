import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import { type LmdInitialization, logPriorMedians } from './lmd-prior.js';
import { lmdStateFormat } from './lmd-state-format.js';
import type { OptimizerState } from './optimizer.js';
import { stateName, weightOf } from './state.js';

/** Logarithms of the medians of the halves of one weight, and of the medians of their priors. New handles. */
export interface LmdLogMedians {
  /** log m⁺ and log m⁻, of the weight's shape. */
  readonly logPlus: Tensor;
  readonly logMinus: Tensor;
  /** log m₀ of each half: a scalar, or of the weight's shape if the prior is centred at the initial weights. */
  readonly logPriorPlus: Tensor;
  readonly logPriorMinus: Tensor;
}

/**
 * Names of the weights in a state that `lmd` trains, for every `stateFormat` and with any other optimizers in the
 * state.
 */
export function lmdWeightNames(state: OptimizerState): string[] {
  return Object.keys(state.tensors)
    .filter((name) => name.endsWith('/logPriorMedian'))
    .map(weightOf);
}

/**
 * Log medians of one weight of `lmd`, decoded if they are stored as codes. For diagnostics. The state determines its
 * format, but not how `initialWeights` were split: pass the `initialization` of the optimizer if it is `hypentropy`.
 *
 * @throws LmdError `INVALID_ARGUMENT` for a weight that `lmd` does not train.
 */
export function lmdLogMedians(
  ops: EagerOperations,
  state: OptimizerState,
  weight: string,
  initialization: LmdInitialization = 'floor',
): LmdLogMedians {
  const stored: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(state.tensors)) {
    const vector = name.slice(weight.length + 1);
    if (name === stateName(weight, vector)) stored[vector] = tensor;
  }
  if (stored.logPriorMedian === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `lmdLogMedians: this state has no weight "${weight}" of lmd.`, {
      subject: weight,
      value: lmdWeightNames(state),
      remedy: 'Use one of the names that lmdWeightNames(state) returns.',
    });
  }
  const scaling = stored.momentumMinus === undefined && stored.momentumMinusScale === undefined ? 'none' : 'sample';
  const format = stored.codes !== undefined ? 'block8' : stored.codesPlus !== undefined ? 'block16' : 'f32';
  return ops.scope(() => {
    const prior = logPriorMedians(ops, stored, initialization);
    const { logPlus, logMinus } = lmdStateFormat(format, scaling).medians(ops, stored, prior);
    const fresh = (x: Tensor) => ops.reshape(x, x.shape);
    return {
      logPlus: fresh(logPlus),
      logMinus: fresh(logMinus),
      logPriorPlus: fresh(prior.logPlus),
      logPriorMinus: fresh(prior.logMinus),
    };
  });
}
