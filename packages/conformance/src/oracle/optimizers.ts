import type { AdamwUpdateOptions, LmdRegularizer, LmdUpdateOptions, RandomKey } from '@lmd/core';
import { result, type Values } from '../values.js';
import { randomNormal } from './random.js';

/** The noise of the negative half comes from the complement of the stream. */
const minusKey = (key: RandomKey): RandomKey => ({ ...key, stream: ~key.stream >>> 0 });

interface Half {
  readonly values: Float64Array;
  readonly magnitudes: Float64Array;
}

/** θ = exp(l + σe). An error of the exponent's terms is a relative error of θ. */
function drawHalf(logMedian: Values, noise: number, key: RandomKey): Half {
  const e = randomNormal(logMedian.shape, key);
  const values = logMedian.data.map((l, i) => Math.exp(l + noise * e.data[i]!));
  const magnitudes = values.map((theta, i) => theta * (1 + Math.abs(logMedian.data[i]!) + noise * e.magnitudes![i]!));
  return { values, magnitudes };
}

export function lmdDraw(logPlus: Values, logMinus: Values, noise: number, key: RandomKey): Values {
  const plus = drawHalf(logPlus, noise, key);
  const minus = drawHalf(logMinus, noise, minusKey(key));
  return result(
    logPlus.shape,
    plus.values.map((value, i) => value - minus.values[i]!),
    plus.magnitudes.map((value, i) => value + minus.magnitudes[i]!),
  );
}

/** R as a function of l − l₀ = log(m/m₀), and what its error is in proportion to. */
const regularizers: Record<LmdRegularizer, (distance: number, size: number) => { value: number; magnitude: number }> = {
  logNormalPrior: (distance, size) => ({ value: distance, magnitude: size }),
  powerPrior: () => ({ value: 1, magnitude: 1 }),
  exponentialPrior: (distance, size) => ({ value: Math.exp(distance), magnitude: Math.exp(distance) * (1 + size) }),
  halfNormalPrior: (distance, size) => ({
    value: Math.exp(2 * distance),
    magnitude: Math.exp(2 * distance) * (1 + 2 * size),
  }),
};

export interface LmdValues {
  readonly logPlus: Values;
  readonly logMinus: Values;
  readonly momentumPlus: Values;
  /** Absent with `gradientScaling: 'none'`. */
  readonly momentumMinus?: Values;
}

/** One step of LMD, in the log form: t = β₁v + (1 − β₁)G; v ← β₂v + (1 − β₂)G; l ← l − a·(sign t + λR(l − l₀)). */
export function lmdUpdate(
  state: LmdValues,
  gradients: readonly Values[],
  keys: readonly RandomKey[],
  logPriorMedian: number,
  options: LmdUpdateOptions,
): Values[] {
  const { shape } = state.logPlus;
  const samples = gradients.length;

  function averageGradient(logMedian: Values, half: 1 | -1): Half {
    const values = new Float64Array(logMedian.data.length);
    const magnitudes = new Float64Array(values.length);
    for (const [s, gradient] of gradients.entries()) {
      const key = half === 1 ? keys[s]! : minusKey(keys[s]!);
      const theta = options.gradientScaling === 'sample' ? drawHalf(logMedian, options.noise, key) : undefined;
      gradient.data.forEach((g, i) => {
        values[i]! += (half * g * (theta?.values[i] ?? 1)) / samples;
        magnitudes[i]! += (Math.abs(g) * (theta?.magnitudes[i] ?? 1)) / samples;
      });
    }
    return { values, magnitudes };
  }

  function stepHalf(logMedian: Values, momentum: (i: number) => number, gradient: Half): [Values, Values] {
    const nextLog = new Float64Array(logMedian.data.length);
    const logMagnitudes = new Float64Array(nextLog.length);
    const nextMomentum = new Float64Array(nextLog.length);
    const momentumMagnitudes = new Float64Array(nextLog.length);
    logMedian.data.forEach((l, i) => {
      const v = momentum(i);
      const { beta1, beta2, learningRate, regularization } = options;
      const t = beta1 * v + (1 - beta1) * gradient.values[i]!;
      const tMagnitude = beta1 * Math.abs(v) + (1 - beta1) * gradient.magnitudes[i]!;
      const r = regularizers[options.regularizer](l - logPriorMedian, Math.abs(l) + Math.abs(logPriorMedian));
      const move = options.useSign ? Math.sign(t) : t;
      nextLog[i] = l - learningRate * (move + regularization * r.value);
      logMagnitudes[i] =
        Math.abs(l) + learningRate * ((options.useSign ? 1 : tMagnitude) + regularization * r.magnitude);
      nextMomentum[i] = beta2 * v + (1 - beta2) * gradient.values[i]!;
      momentumMagnitudes[i] = beta2 * Math.abs(v) + (1 - beta2) * gradient.magnitudes[i]!;
    });
    return [result(shape, nextLog, logMagnitudes, samples), result(shape, nextMomentum, momentumMagnitudes, samples)];
  }

  const shared = state.momentumMinus === undefined;
  const [logPlus, momentumPlus] = stepHalf(
    state.logPlus,
    (i) => state.momentumPlus.data[i]!,
    averageGradient(state.logPlus, 1),
  );
  const [logMinus, momentumMinus] = stepHalf(
    state.logMinus,
    (i) => (shared ? -state.momentumPlus.data[i]! : state.momentumMinus.data[i]!),
    averageGradient(state.logMinus, -1),
  );
  return shared ? [logPlus, logMinus, momentumPlus] : [logPlus, logMinus, momentumPlus, momentumMinus];
}

/** One step of AdamW (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2): weights, first moment, second moment. */
export function adamwUpdate(
  weights: Values,
  firstMoment: Values,
  secondMoment: Values,
  gradient: Values,
  { learningRate, beta1, beta2, epsilon, weightDecay, step }: AdamwUpdateOptions,
): [Values, Values, Values] {
  const first = firstMoment.data.map((m, i) => beta1 * m + (1 - beta1) * gradient.data[i]!);
  const firstSize = firstMoment.data.map((m, i) => beta1 * Math.abs(m) + (1 - beta1) * Math.abs(gradient.data[i]!));
  const second = secondMoment.data.map((v, i) => beta2 * v + (1 - beta2) * gradient.data[i]! ** 2);
  const scale = (i: number) =>
    learningRate / (1 - beta1 ** step) / (Math.sqrt(second[i]! / (1 - beta2 ** step)) + epsilon);
  return [
    result(
      weights.shape,
      weights.data.map((w, i) => w * (1 - learningRate * weightDecay) - scale(i) * first[i]!),
      weights.data.map((w, i) => Math.abs(w) * (1 + learningRate * weightDecay) + scale(i) * firstSize[i]!),
    ),
    result(weights.shape, first, firstSize),
    result(weights.shape, second),
  ];
}

/** α·x + β·y, each product and the sum rounded to f32. */
export function weightedSum(x: Values, alpha: number, y: Values, beta: number): Values {
  const [a, b] = [Math.fround(alpha), Math.fround(beta)];
  return result(
    x.shape,
    x.data.map((value, i) => Math.fround(Math.fround(a * value) + Math.fround(b * y.data[i]!))),
  );
}
