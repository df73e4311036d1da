import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { LmdTensors, LmdUpdateOptions } from '../optimizer-kernels.js';
import type { Tensor } from '../tensor.js';

/** sign(t±), the directions of a step. With `gradientScaling: 'none'`, that of m⁻ is the negative of that of m⁺. */
export interface LmdDirections {
  readonly logPlus: Tensor;
  readonly logMinus?: Tensor;
}

/** The directions that `lmdUpdate` would take. */
export function lmdDirections(
  ops: EagerOperations,
  current: LmdTensors,
  gradients: readonly Tensor[],
  keys: readonly RandomKey[],
  options: Omit<LmdUpdateOptions, 'regularizer'>,
): LmdDirections {
  return ops.scope(() => {
    // The temporary momentum t differs from the new one in β alone, so the kernel computes it as a momentum.
    const { momentumPlus, momentumMinus } = ops.lmdUpdate(current, gradients, keys, ops.zeros([]), {
      ...options,
      ...atRest,
      regularizer: 'powerPrior',
      beta2: options.beta1,
    });
    return {
      logPlus: ops.sign(momentumPlus),
      ...(momentumMinus === undefined ? {} : { logMinus: ops.sign(momentumMinus) }),
    };
  });
}

/** `lmdUpdate` with given directions: the medians move by them, the momenta follow the gradients. */
export function lmdDirectedUpdate(
  ops: EagerOperations,
  current: LmdTensors,
  gradients: readonly Tensor[],
  keys: readonly RandomKey[],
  logPriorMedian: Tensor,
  options: LmdUpdateOptions,
  directions: LmdDirections,
): LmdTensors {
  return ops.scope(() => {
    const { momentumPlus, momentumMinus } = ops.lmdUpdate(current, gradients, keys, logPriorMedian, {
      ...options,
      ...atRest,
    });
    // With β₁ = 1 the temporary momentum is the stored one, here the directions, which are their own signs.
    const { logPlus, logMinus } = ops.lmdUpdate(
      {
        ...current,
        momentumPlus: directions.logPlus,
        ...(directions.logMinus === undefined ? {} : { momentumMinus: directions.logMinus }),
      },
      [ops.zeros(current.logPlus.shape)],
      keys.slice(0, 1),
      logPriorMedian,
      { ...options, beta1: 1, noise: 0 },
    );
    return { logPlus, logMinus, momentumPlus, ...(momentumMinus === undefined ? {} : { momentumMinus }) };
  });
}

export function mapDirections({ logPlus, logMinus }: LmdDirections, map: (direction: Tensor) => Tensor): LmdDirections {
  return { logPlus: map(logPlus), ...(logMinus === undefined ? {} : { logMinus: map(logMinus) }) };
}

/** Medians do not move, so that only the momenta are of interest. */
const atRest = { learningRate: 0, regularization: 0 } as const;
