import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { LmdRegularizer, LmdTensors, LmdUpdateOptions } from '../optimizer-kernels.js';
import type { Tensor } from '../tensor.js';

/** The key of the noise of the negative halves: the stream's complement, so that the two are independent. */
function negativeKey(key: RandomKey): RandomKey {
  return { ...key, stream: ~key.stream >>> 0 };
}

/** θ = exp(l + σ·e), a draw from the log-normal with median exp(l). */
function drawHalf(ops: EagerOperations, logMedian: Tensor, noise: number, key: RandomKey): Tensor {
  if (noise === 0) return ops.exp(logMedian);
  return ops.scope(() => ops.exp(ops.add(logMedian, ops.multiply(ops.randomNormal(logMedian.shape, key), noise))));
}

/** w = θ⁺ − θ⁻. */
export function lmdDraw(
  ops: EagerOperations,
  logPlus: Tensor,
  logMinus: Tensor,
  noise: number,
  key: RandomKey,
): Tensor {
  return ops.scope(() =>
    ops.subtract(drawHalf(ops, logPlus, noise, key), drawHalf(ops, logMinus, noise, negativeKey(key))),
  );
}

/**
 * One step of LMD in log space, where it neither overflows nor underflows:
 *
 *     G± = ± mean over s of θ±·g           (`gradientScaling: 'none'`: ± mean of g)
 *     t± = β₁·v± + (1 − β₁)·G±
 *     v± ← β₂·v± + (1 − β₂)·G±
 *     l± ← l± − a·(sign(t±) + λ·R(l±))     (without `useSign`: t± itself)
 */
export function lmdUpdate(
  ops: EagerOperations,
  state: LmdTensors,
  gradients: readonly Tensor[],
  keys: readonly RandomKey[],
  logPriorMedian: Tensor,
  options: LmdUpdateOptions,
): LmdTensors {
  return ops.scope(() => {
    const { logPlus, logMinus, momentumPlus, momentumMinus } = state;
    const { noise, gradientScaling } = options;
    const move = (logMedian: Tensor, push: Tensor) => moveMedian(ops, logMedian, push, logPriorMedian, options);
    if (gradientScaling === 'none') {
      const { push, momentum } = average(ops, momentumPlus, meanOf(ops, gradients), options);
      return { logPlus: move(logPlus, push), logMinus: move(logMinus, ops.negate(push)), momentumPlus: momentum };
    }
    // θ± is drawn again for each gradient: noise is never stored.
    const scaledBy = (logMedian: Tensor, keyOf: (key: RandomKey) => RandomKey) =>
      ops.scope(() =>
        meanOf(
          ops,
          gradients.map((gradient, s) => ops.multiply(drawHalf(ops, logMedian, noise, keyOf(keys[s]!)), gradient)),
        ),
      );
    const plus = average(
      ops,
      momentumPlus,
      scaledBy(logPlus, (key) => key),
      options,
    );
    const minus = average(ops, momentumMinus as Tensor, ops.negate(scaledBy(logMinus, negativeKey)), options);
    return {
      logPlus: move(logPlus, plus.push),
      logMinus: move(logMinus, minus.push),
      momentumPlus: plus.momentum,
      momentumMinus: minus.momentum,
    };
  });
}

/** t and the new v. */
function average(
  ops: EagerOperations,
  momentum: Tensor,
  gradient: Tensor,
  { beta1, beta2 }: LmdUpdateOptions,
): { push: Tensor; momentum: Tensor } {
  const mix = (beta: number) =>
    ops.scope(() => ops.add(ops.multiply(momentum, beta), ops.multiply(gradient, 1 - beta)));
  return { push: mix(beta1), momentum: mix(beta2) };
}

function moveMedian(
  ops: EagerOperations,
  logMedian: Tensor,
  push: Tensor,
  logPriorMedian: Tensor,
  { learningRate, regularization, regularizer, useSign }: LmdUpdateOptions,
): Tensor {
  return ops.scope(() => {
    const direction = useSign ? ops.sign(push) : push;
    if (regularization === 0) return ops.subtract(logMedian, ops.multiply(direction, learningRate));
    const pull = ops.multiply(regularizerGradient(ops, logMedian, logPriorMedian, regularizer), regularization);
    return ops.subtract(logMedian, ops.multiply(ops.add(direction, pull), learningRate));
  });
}

/** R: the gradient, in log m, of the negative log density of the prior. */
function regularizerGradient(
  ops: EagerOperations,
  logMedian: Tensor,
  logPriorMedian: Tensor,
  regularizer: LmdRegularizer,
): Tensor {
  if (regularizer === 'powerPrior') return ops.full([], 1);
  const distance = ops.subtract(logMedian, logPriorMedian);
  if (regularizer === 'logNormalPrior') return distance;
  return ops.exp(regularizer === 'exponentialPrior' ? distance : ops.multiply(distance, 2));
}

function meanOf(ops: EagerOperations, terms: readonly Tensor[]): Tensor {
  if (terms.length === 1) return terms[0]!;
  return ops.scope(() => {
    const sum = terms.slice(1).reduce((total, term) => ops.add(total, term), terms[0]!);
    return ops.divide(sum, terms.length);
  });
}
