import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import type { LogPriorMedians } from './lmd-state-format.js';

/** How `lmd` splits an initial weight into two positive halves; see `LmdOptions.initialization`. */
export const lmdInitializations = ['floor', 'hypentropy'] as const;
export type LmdInitialization = (typeof lmdInitializations)[number];

/**
 * Logarithms of two positive halves of a weight whose difference is the weight times e^shift. `floor` f: max(±w, 0) +
 * f. `hypentropy`: (√(w² + 4f²) ± w)/2 with product f² for every w, that is log f ± arsinh(w / 2f).
 */
export function halves(
  ops: EagerOperations,
  weight: Tensor,
  floor: Tensor | number,
  initialization: LmdInitialization,
  shift: number,
): { logPlus: Tensor; logMinus: Tensor } {
  if (initialization === 'hypentropy') return hypentropyHalves(ops, weight, floor, shift);
  const half = (signed: Tensor) =>
    ops.scope(() => {
      const logarithm = ops.log(ops.add(ops.maximum(signed, 0), floor));
      return shift === 0 ? logarithm : ops.add(logarithm, shift);
    });
  return { logPlus: half(weight), logMinus: ops.scope(() => half(ops.negate(weight))) };
}

function hypentropyHalves(ops: EagerOperations, weight: Tensor, floor: Tensor | number, shift: number) {
  return ops.scope(() => {
    const ratio = ops.divide(weight, ops.multiply(floor, 2));
    const size = ops.absolute(ratio);
    // The sum under the logarithm is of positive numbers: no half loses digits to the other.
    const distance = ops.multiply(
      ops.sign(ratio),
      ops.log(ops.add(size, ops.sqrt(ops.add(ops.multiply(size, size), 1)))),
    );
    const middle = ops.add(typeof floor === 'number' ? Math.log(floor) : ops.log(floor), shift);
    return { logPlus: ops.add(middle, distance), logMinus: ops.subtract(middle, distance) };
  });
}

/**
 * log m₀ of each half: the scalar `logPriorMedian` for both, or, with `priorWeight` (the initial m⁺ − m⁻), the initial
 * medians of each coordinate, which are computed from one stored vector instead of stored as two.
 */
export function logPriorMedians(
  ops: EagerOperations,
  stored: { readonly [name: string]: Tensor },
  initialization: LmdInitialization,
): LogPriorMedians {
  const { logPriorMedian, priorWeight } = stored;
  if (priorWeight === undefined) return { logPlus: logPriorMedian!, logMinus: logPriorMedian! };
  return ops.scope(() => halves(ops, priorWeight, ops.exp(logPriorMedian!), initialization, 0));
}
