import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { LmdRegularizer, LmdTensors, LmdUpdateOptions } from '../optimizer-kernels.js';
import type { Tensor } from '../tensor.js';
import { type LmdDirections, lmdDirectedUpdate } from './lmd-directions.js';
import type { LmdRegularizerName } from './lmd-regularizers.js';
import type { LogPriorMedians } from './lmd-state-format.js';

/** The options of an update that are the same in every step. */
export interface LmdStepOptions
  extends Omit<LmdUpdateOptions, 'learningRate' | 'regularization' | 'noise' | 'regularizer'> {
  readonly regularizer: LmdRegularizerName;
  readonly regularizerAt: 'median' | 'sample';
}

/** With what a schedule gives for the step. */
export type LmdOptionsOfStep = LmdStepOptions & Pick<LmdUpdateOptions, 'learningRate' | 'regularization' | 'noise'>;

/**
 * One update of LMD with any regularizer. Kernels compute the priors at the median, with one m₀ for all coordinates.
 * For all others, what the regularizer adds is applied to the kernel's update: R enters log m by −a·λ·R alone.
 *
 * @param directions replace the signs of the temporary momenta.
 */
export function lmdStep(
  ops: EagerOperations,
  current: LmdTensors,
  gradients: readonly Tensor[],
  keys: readonly RandomKey[],
  prior: LogPriorMedians,
  options: LmdOptionsOfStep,
  directions?: LmdDirections,
): LmdTensors {
  const { regularizer: name, regularizerAt, ...rest } = options;
  const { learningRate, regularization, noise } = rest;
  const rate = learningRate * regularization;
  const { regularizer, power, isDivergence } = partsOf(name);
  const shared = prior.logPlus === prior.logMinus;
  const update = (logPriorMedian: Tensor, given: Partial<LmdUpdateOptions> = {}) => {
    const all = { ...rest, regularizer, ...given };
    return directions === undefined
      ? ops.lmdUpdate(current, gradients, keys, logPriorMedian, all)
      : lmdDirectedUpdate(ops, current, gradients, keys, logPriorMedian, all, directions);
  };

  if (regularizerAt === 'sample' && regularizer !== 'powerPrior' && rate > 0) {
    return ops.scope(() => {
      const next = update(ops.zeros([]), { regularization: 0 });
      const pulled = (half: 'logPlus' | 'logMinus') => {
        const keyOf = (key: RandomKey) => (half === 'logPlus' ? key : { ...key, stream: ~key.stream >>> 0 });
        const distance = ops.subtract(current[half], prior[half]);
        const pull = meanPull(ops, distance, keys.map(keyOf), noise, power);
        return ops.subtract(next[half], ops.multiply(isDivergence ? ops.subtract(pull, 1) : pull, rate));
      };
      return { ...next, logPlus: pulled('logPlus'), logMinus: pulled('logMinus') };
    });
  }
  if (isDivergence) {
    return ops.scope(() => {
      // E[(θ/m₀)^p] = exp(p²σ²/2)·(m/m₀)^p is (m/m₁)^p with log m₁ = log m₀ − pσ²/2.
      const next = update(ops.subtract(prior.logPlus, (power * noise * noise) / 2));
      return { ...next, logPlus: ops.add(next.logPlus, rate), logMinus: ops.add(next.logMinus, rate) };
    });
  }
  if (shared) return update(prior.logPlus);
  return ops.scope(() => {
    // With the log-normal prior the update is linear in log m₀: that for m₀ = 1, plus a·λ·log m₀.
    const next = update(ops.zeros([]));
    return {
      ...next,
      logPlus: ops.add(next.logPlus, ops.multiply(prior.logPlus, rate)),
      logMinus: ops.add(next.logMinus, ops.multiply(prior.logMinus, rate)),
    };
  });
}

/** Mean over the samples of (θ/m₀)^power, or of log(θ/m₀) with the power 0. */
function meanPull(
  ops: EagerOperations,
  distance: Tensor,
  keys: readonly RandomKey[],
  noise: number,
  power: number,
): Tensor {
  return ops.scope(() => {
    let sum: Tensor | undefined;
    for (const key of keys) {
      const before = sum;
      sum = ops.scope(() => {
        const log =
          noise === 0 ? distance : ops.add(distance, ops.multiply(ops.randomNormal(distance.shape, key), noise));
        const pull = power === 0 ? log : ops.exp(ops.multiply(log, power));
        return before === undefined ? pull : ops.add(before, pull);
      });
      if (before !== undefined) ops.dispose(before);
    }
    return ops.multiply(sum!, 1 / keys.length);
  });
}

interface RegularizerParts {
  /** The kernel's. */
  readonly regularizer: LmdRegularizer;
  /** p of R = (m/m₀)^p; 0 for the others. */
  readonly power: number;
  /** Whether R has the entropy's −1. */
  readonly isDivergence: boolean;
}

function partsOf(name: LmdRegularizerName): RegularizerParts {
  switch (name) {
    case 'exponentialPrior':
    case 'exponentialDivergence':
      return { regularizer: 'exponentialPrior', power: 1, isDivergence: name === 'exponentialDivergence' };
    case 'halfNormalPrior':
    case 'halfNormalDivergence':
      return { regularizer: 'halfNormalPrior', power: 2, isDivergence: name === 'halfNormalDivergence' };
    default:
      return { regularizer: name, power: 0, isDivergence: false };
  }
}
