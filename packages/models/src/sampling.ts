import {
  fillRandomUniform,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  streamOf,
} from '@lmd/core';

/** The options of sampling, declared once. */
export const samplingOptionTable = {
  /** Sampling temperature, which divides the logits; 0 always takes the most likely token. At least 0; default 1. */
  temperature: option.number({
    atLeast: 0,
    default: 1,
    describe: 'Sampling temperature, which divides the logits; 0 always takes the most likely token.',
  }),
  /**
   * Top-k sampling: samples from this number of the most likely tokens. Default: all tokens. A whole number, at least
   * 1.
   */
  topK: option.integer({
    atLeast: 1,
    describe: 'Top-k sampling: samples from this number of the most likely tokens. Default: all tokens.',
  }),
  /**
   * Top-p (nucleus) sampling: samples from the fewest most likely tokens whose probabilities add up to p or more
   * (Holtzman et al. 2020); 1 samples from all. Above 0 and at most 1; default 1.
   */
  topP: option.number({
    above: 0,
    atMost: 1,
    default: 1,
    describe:
      'Top-p (nucleus) sampling: samples from the fewest most likely tokens whose probabilities add up to p or ' +
      'more (Holtzman et al. 2020); 1 samples from all.',
  }),
  /**
   * Values above 1 penalize tokens that already appear: their positive logits are divided by it, and negative ones
   * multiplied (Keskar et al. 2019). Above 0; default 1.
   */
  repetitionPenalty: option.number({
    above: 0,
    default: 1,
    describe:
      'Values above 1 penalize tokens that already appear: their positive logits are divided by it, and negative ' +
      'ones multiplied (Keskar et al. 2019).',
  }),
} as const satisfies OptionTable;

export interface SamplingOptions extends OptionsOf<typeof samplingOptionTable> {}

/** Inputs of sampling in addition to the logits. */
export interface SamplingPoint {
  readonly seed: number;
  readonly position: number;
  /** The previous tokens, for `repetitionPenalty`. Default none. */
  readonly text?: ArrayLike<number>;
}

const stream = streamOf('generate');

/**
 * Samples a token from logits [vocabulary]: repetition penalty, then temperature, then top-k, then top-p, as in
 * transformers. The result is a function of the logits, the previous text and (seed, position); for equal logits, lower
 * tokens come first.
 *
 * @throws LmdError `NON_FINITE` if a logit is NaN or +∞, all are −∞, or there are none; `INVALID_ARGUMENT` for
 *   options out of range.
 */
export function sampleToken(given: ArrayLike<number>, options: SamplingOptions, point: SamplingPoint): number {
  const checked = resolveOptions('sampleToken', samplingOptionTable, options);
  const { temperature, topK = given.length, topP, repetitionPenalty } = checked;
  const { seed, position, text = [] } = point;
  const logits = penalized(given, repetitionPenalty, text);
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
