import type { EagerOperations } from './operations.js';
import type { DrawKey } from './optimizers/optimizer.js';
import { choiceOption, numberOption } from './options/checks.js';
import { streamOf } from './random/stream.js';
import type { NamedTensors, Tensor } from './tensor.js';

/**
 * How memory changes the weights that it stores:
 *
 * - `logNormal`: w·exp(σ·e − σ²/2), e ~ N(0, 1), so that the mean stays w: conductances that vary in proportion to
 *   their size, as in analog memory and in synapses. The drift of phase-change memory is such a fault too: w·(t/t₀)^−ν
 *   with ν ~ N(ν̄, s²) from cell to cell (Joshi et al. 2020, Nature Communications 11, 2473). Where a gain compensates
 *   for its mean, σ = s·ln(t/t₀).
 * - `additive`: w + σ·rms(w)·e, with the root mean square over the tensor: read noise that is the same for all cells.
 * - `stuckAtZero`: 0 with probability p, otherwise w: dead cells.
 */
export const weightFaultKinds = ['logNormal', 'additive', 'stuckAtZero'] as const;

/** A fault of stored weights. */
export interface WeightFault {
  readonly kind: (typeof weightFaultKinds)[number];
  /** σ of `logNormal` and `additive`, at least 0; p of `stuckAtZero`, from 0 to 1. */
  readonly amount: number;
}

/** Chooses weights by name and shape. */
export type WeightMatch = (name: string, shape: readonly number[]) => boolean;

/** Matrices, as analog memory stores them; biases and gains stay digital. */
export const isMatrix: WeightMatch = (_, shape) => shape.length >= 2;

/**
 * The weights as faulty memory returns them: a function of (seed, step, sample) of `key` and the name of each weight,
 * so that every backend has the same faults. Weights that `match` does not choose are unchanged. All handles are new
 * and owned by the caller.
 *
 * @throws LmdError `INVALID_ARGUMENT` for another kind or an amount out of range.
 */
export function faultyWeights(
  ops: EagerOperations,
  weights: NamedTensors,
  fault: WeightFault,
  key: DrawKey,
  match: WeightMatch = isMatrix,
): NamedTensors {
  const kind = choiceOption('faultyWeights', 'kind', fault.kind, weightFaultKinds);
  const range = kind === 'stuckAtZero' ? { atLeast: 0, atMost: 1 } : { atLeast: 0 };
  const amount = numberOption('faultyWeights', 'amount', fault.amount, range);
  return ops.scope(() =>
    Object.fromEntries(
      Object.entries(weights).map(([name, weight]) => [
        name,
        match(name, weight.shape)
          ? changed(ops, weight, kind, amount, { ...key, stream: streamOf(`${name}/fault`) })
          : ops.reshape(weight, weight.shape),
      ]),
    ),
  );
}

function changed(
  ops: EagerOperations,
  weight: Tensor,
  kind: WeightFault['kind'],
  amount: number,
  key: DrawKey & { readonly stream: number },
): Tensor {
  return ops.scope(() => {
    switch (kind) {
      case 'logNormal':
        return ops.multiply(weight, logNormalFactors(ops, weight.shape, amount, key));
      case 'additive': {
        const deviation = ops.multiply(ops.sqrt(ops.mean(ops.multiply(weight, weight))), amount);
        return ops.add(weight, ops.multiply(ops.randomNormal(weight.shape, key), deviation));
      }
      case 'stuckAtZero':
        return ops.where(ops.less(ops.randomUniform(weight.shape, key), amount), 0, weight);
    }
  });
}

/** exp(σ·e − σ²/2), e ~ N(0, 1): log-normal factors of mean 1. */
export function logNormalFactors(
  ops: EagerOperations,
  shape: readonly number[],
  deviation: number,
  key: DrawKey & { readonly stream: number },
): Tensor {
  return ops.scope(() =>
    ops.exp(ops.subtract(ops.multiply(ops.randomNormal(shape, key), deviation), deviation ** 2 / 2)),
  );
}
