import { fillRandomUniform, LmdError, showValue, streamOf } from '@lmd/core';

export interface SamplingOptions {
  /** Sampling temperature. 0 is greedy decoding. Default 1. */
  readonly temperature?: number;
  /** Top-k sampling. Default all tokens. */
  readonly topK?: number;
  /**
   * Top-p (nucleus) sampling: samples from the smallest set of most likely tokens with total probability of at least p
   * (Holtzman et al. 2020). Default 1: all tokens.
   */
  readonly topP?: number;
  /**
   * Values above 1 penalize tokens that already appear: divides their positive logits and multiplies their negative
   * ones (Keskar et al. 2019). Default 1.
   */
  readonly repetitionPenalty?: number;
}

/** Inputs of sampling in addition to the logits. */
export interface SamplingPoint {
  readonly seed: number;
  readonly position: number;
  /** The previous tokens, for `repetitionPenalty`. Default none. */
  readonly text?: ArrayLike<number>;
}

const stream = streamOf('generate');

export const samplingNames = ['temperature', 'topK', 'topP', 'repetitionPenalty'] as const;

/** Throws for options out of range; errors name `caller`. */
export function checkSampling(options: SamplingOptions, caller: string): void {
  const { temperature = 1, topK = 1, topP = 1, repetitionPenalty = 1 } = options;
  const largest = Number.POSITIVE_INFINITY;
  const check = (fits: boolean, subject: string, value: unknown, remedy: string): void => {
    if (fits) return;
    throw new LmdError('INVALID_ARGUMENT', `${caller} cannot have ${subject} = ${showValue(value)}.`, {
      subject,
      value,
      remedy,
    });
  };
  check(temperature >= 0 && temperature < largest, 'temperature', temperature, 'Use a number of at least 0.');
  check(Number.isSafeInteger(topK) && topK >= 1, 'topK', topK, 'Use a positive integer.');
  check(topP > 0 && topP <= 1, 'topP', topP, 'Use a number above 0 and at most 1.');
  check(
    repetitionPenalty > 0 && repetitionPenalty < largest,
    'repetitionPenalty',
    repetitionPenalty,
    'Use a number above 0. Values above 1 penalize tokens that already appear.',
  );
}

/**
 * Samples a token from logits [vocabulary]: repetition penalty, then temperature, then top-k, then top-p, as in
 * transformers. The result is a function of the logits, the previous text and (seed, position); for equal logits, lower
 * tokens come first.
 *
 * @throws LmdError `NON_FINITE` if a logit is NaN or +∞, all are −∞, or there are none; `INVALID_ARGUMENT` for
 *   options out of range.
 */
export function sampleToken(given: ArrayLike<number>, options: SamplingOptions, point: SamplingPoint): number {
  checkSampling(options, 'sampleToken');
  const { temperature = 1, topK = given.length, topP = 1 } = options;
  const { seed, position, text = [] } = point;
  const logits = penalized(given, options.repetitionPenalty ?? 1, text);
  const best = indexOfLargest(logits);
  if (temperature === 0) return best;
  const largest = logits[best]!;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  if (topK < weights.length) keepLargest(weights, topK);
  if (topP < 1) keepLargest(weights, countUpTo(weights, topP));
  const draw = new Float64Array(1);
  fillRandomUniform(draw, { seed, stream, step: position, sample: 0 });
  let rest = draw[0]! * sum(weights);
  for (let token = 0; token < weights.length; token++) {
    rest -= weights[token]!;
    if (rest < 0) return token;
  }
  // Rounding may leave a small remainder.
  return best;
}

function penalized(logits: ArrayLike<number>, penalty: number, text: ArrayLike<number>): ArrayLike<number> {
  if (penalty === 1) return logits;
  const changed = Float64Array.from(logits);
  for (const token of new Set(Array.from(text))) {
    const logit = changed[token]!;
    changed[token] = logit > 0 ? logit / penalty : logit * penalty;
  }
  return changed;
}

function indexOfLargest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token]!;
    if (Number.isNaN(logit) || logit === Number.POSITIVE_INFINITY)
      throw notFinite(`The logit of token ${token} is ${logit}.`, logit);
    if (logit > logits[best]!) best = token;
  }
  if (logits.length > 0 && logits[best]! > Number.NEGATIVE_INFINITY) return best;
  throw notFinite(
    logits.length === 0 ? 'There are no logits.' : `All ${logits.length} logits are -Infinity.`,
    logits[best],
  );
}

function notFinite(message: string, value: unknown): LmdError {
  return new LmdError('NON_FINITE', message, {
    subject: 'logits',
    value,
    remedy: 'Check the weights: they have diverged, or belong to another model.',
  });
}

/** Sets all but the `count` largest to zero. */
function keepLargest(weights: Float64Array, count: number): void {
  const threshold = Float64Array.from(weights).sort()[weights.length - count]!;
  let above = 0;
  for (const weight of weights) if (weight > threshold) above += 1;
  let ties = count - above;
  for (let token = 0; token < weights.length; token++) {
    const weight = weights[token]!;
    if (weight > threshold) continue;
    if (weight === threshold && ties > 0) ties -= 1;
    else weights[token] = 0;
  }
}

/** Number of largest values whose sum reaches the fraction `p` of the total; at least one. */
function countUpTo(weights: Float64Array, p: number): number {
  const ascending = Float64Array.from(weights).sort();
  const goal = p * sum(weights);
  let total = 0;
  for (let count = 1; count <= ascending.length; count++) {
    total += ascending[ascending.length - count]!;
    if (total >= goal) return count;
  }
  return ascending.length;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
