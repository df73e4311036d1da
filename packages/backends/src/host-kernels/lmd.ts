import { LmdError, type LmdRegularizer, type LmdUpdateOptions, type RandomKey } from '@lmd/core';
import { exponential } from './exponential.js';
import { complementKey, NormalBlocks, normalBlock } from './normals.js';

/** w = exp(l⁺ + σ·e⁺) − exp(l⁻ + σ·e⁻), noise drawn in blocks and never stored. */
export function lmdDraw(
  logPlus: Float32Array,
  logMinus: Float32Array,
  noise: number,
  key: RandomKey,
  out: Float32Array,
): void {
  if (noise === 0) {
    for (let i = 0; i < out.length; i++) out[i] = exponential(logPlus[i]!) - exponential(logMinus[i]!);
    return;
  }
  const blocks = new NormalBlocks();
  const minusKey = complementKey(key);
  for (let start = 0; start < out.length; start += normalBlock) {
    const count = Math.min(normalBlock, out.length - start);
    const plus = blocks.draw(key, start, count);
    const minus = blocks.draw(minusKey, start, count);
    for (let j = 0; j < count; j++) {
      const i = start + j;
      out[i] = exponential(logPlus[i]! + noise * plus[j]!) - exponential(logMinus[i]! + noise * minus[j]!);
    }
  }
}

/** Arrays of one weight: log m±, v±; `momentumMinus` is absent with `gradientScaling: 'none'`. */
export interface LmdArrays {
  readonly logPlus: Float32Array;
  readonly logMinus: Float32Array;
  readonly momentumPlus: Float32Array;
  readonly momentumMinus?: Float32Array;
}

/**
 * One step of LMD for one weight tensor, in a single pass over its arrays:
 *
 *     G± = ±mean over s of θ±·g_s  (or ±mean g_s)     t± = β₁ v± + (1 − β₁) G±     v± ← β₂ v± + (1 − β₂) G±
 *     l± ← l± − a·(sign t± + λ·R(l±))                  (or t± without its sign)
 */
export function lmdUpdate(
  state: LmdArrays,
  gradients: readonly Float32Array[],
  keys: readonly RandomKey[],
  logPriorMedian: number,
  options: LmdUpdateOptions,
  out: LmdArrays,
): void {
  const { beta1, beta2, learningRate, regularization, regularizer, useSign } = options;
  const scaled = options.gradientScaling === 'sample';
  const { momentumMinus } = state;
  const outMomentumMinus = out.momentumMinus;
  if (scaled && (momentumMinus === undefined || outMomentumMinus === undefined)) {
    throw new LmdError('INVALID_ARGUMENT', 'LMD with gradientScaling "sample" needs momentumMinus.', {
      subject: 'momentumMinus',
      remedy: 'Use gradientScaling "none" for a state with one momentum.',
    });
  }
  const size = state.logPlus.length;
  const share = 1 / gradients.length;
  const noiseKeys = keys.map((key) => ({ plus: key, minus: complementKey(key) }));
  const blocks = new NormalBlocks();
  const silence = new Float64Array(normalBlock);
  const gradientPlus = new Float64Array(normalBlock);
  const gradientMinus = new Float64Array(normalBlock);
  for (let start = 0; start < size; start += normalBlock) {
    const count = Math.min(normalBlock, size - start);
    gradientPlus.fill(0);
    gradientMinus.fill(0);
    for (let s = 0; s < gradients.length; s++) {
      const gradient = gradients[s]!;
      if (!scaled) {
        for (let j = 0; j < count; j++) gradientPlus[j]! += gradient[start + j]! * share;
        continue;
      }
      const key = noiseKeys[s]!;
      const plus = options.noise === 0 ? silence : blocks.draw(key.plus, start, count);
      accumulate(gradientPlus, state.logPlus, plus, gradient, options.noise, share, start, count);
      const minus = options.noise === 0 ? silence : blocks.draw(key.minus, start, count);
      accumulate(gradientMinus, state.logMinus, minus, gradient, options.noise, -share, start, count);
    }
    for (let j = 0; j < count; j++) {
      const i = start + j;
      const momentum = state.momentumPlus[i]!;
      const gradient = gradientPlus[j]!;
      const temporary = beta1 * momentum + (1 - beta1) * gradient;
      out.momentumPlus[i] = beta2 * momentum + (1 - beta2) * gradient;
      let temporaryMinus = -temporary;
      if (scaled) {
        const other = momentumMinus![i]!;
        temporaryMinus = beta1 * other + (1 - beta1) * gradientMinus[j]!;
        outMomentumMinus![i] = beta2 * other + (1 - beta2) * gradientMinus[j]!;
      }
      const logPlus = state.logPlus[i]!;
      const logMinus = state.logMinus[i]!;
      const stepPlus = useSign ? Math.sign(temporary) : temporary;
      const stepMinus = useSign ? Math.sign(temporaryMinus) : temporaryMinus;
      out.logPlus[i] =
        logPlus - learningRate * (stepPlus + regularization * regularizerAt(regularizer, logPlus - logPriorMedian));
      out.logMinus[i] =
        logMinus - learningRate * (stepMinus + regularization * regularizerAt(regularizer, logMinus - logPriorMedian));
    }
  }
}

/** sum += θ·g·share, with θ = exp(l + σ·e). */
function accumulate(
  sum: Float64Array,
  logMedian: Float32Array,
  normals: Float64Array,
  gradient: Float32Array,
  noise: number,
  share: number,
  start: number,
  count: number,
): void {
  for (let j = 0; j < count; j++) {
    sum[j]! += exponential(logMedian[start + j]! + noise * normals[j]!) * gradient[start + j]! * share;
  }
}

/** R of the prior at log(m/m₀). */
function regularizerAt(regularizer: LmdRegularizer, logRatio: number): number {
  switch (regularizer) {
    case 'logNormalPrior':
      return logRatio;
    case 'powerPrior':
      return 1;
    case 'exponentialPrior':
      return exponential(logRatio);
    case 'halfNormalPrior':
      return exponential(2 * logRatio);
  }
}
