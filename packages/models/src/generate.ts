import {
  checkModelOperations,
  LmdError,
  type NamedTensors,
  type Operations,
  type PackedMatrices,
  type Precision,
  showValue,
} from '@lmd/core';
import type { CachedLogits, Gpt2 } from './gpt2.js';
import type { KeyValueCache } from './layers/cached-block.js';
import { fullPrecision } from './precision.js';
import { roundWeights } from './rounded-weights.js';
import { checkSampling, type SamplingOptions, sampleToken, samplingNames } from './sampling.js';

export interface GenerateOptions extends SamplingOptions {
  readonly ops: Operations;
  readonly model: Pick<Gpt2, 'config' | 'prefill' | 'decode'>;
  readonly weights: NamedTensors;
  /**
   * Packed weights by name (`packWeights`). They replace the tensors with these names, which `weights` need not
   * contain. Default none.
   */
  readonly packedWeights?: PackedMatrices;
  /** The prompt, at least one token. GPT-2 starts a new document after `<|endoftext|>`, 50256. */
  readonly prompt: ArrayLike<number>;
  /**
   * Maximum number of new tokens. Beyond the model's context, each token depends only on the last `contextLength`
   * tokens and needs a full forward pass: positions are absolute, so the cache cannot be used. Default: up to the end
   * of the context, or `contextLength` if the prompt fills it.
   */
  readonly maxTokens?: number;
  /**
   * Number of tokens of the tokenizer. Further rows of the embedding, with which some models pad it to a round number,
   * are never sampled. Default: the vocabulary size of the model.
   */
  readonly vocabularySize?: number;
  /** Stop tokens, which end the text and are not returned. Default none. */
  readonly stop?: readonly number[];
  /** Random seed: the same seed, weights and prompt give the same text. Default 0. */
  readonly seed?: number;
  /**
   * Precision of the products. Packed weights are not quantized again, so for them it only affects activations. Default
   * full precision.
   */
  readonly precision?: Precision;
}

const names = [
  ...['ops', 'model', 'weights', 'prompt', ...samplingNames],
  ...['maxTokens', 'vocabularySize', 'stop', 'seed', 'precision', 'packedWeights'],
];

/**
 * Generates the continuation of a prompt with a key-value cache. Ends after `maxTokens` or before a stop token. All
 * tensors created are freed when it ends, is left, or throws; `weights` must not be freed before. A text longer than
 * the context is cropped to its last tokens, as in nanoGPT.
 *
 * @throws LmdError immediately, for options that are unknown or do not match the model, such as an empty prompt or one
 * with unknown tokens; `NON_FINITE` if logits are not finite.
 */
export function generate(options: GenerateOptions): AsyncGenerator<number, void, undefined> {
  return generateTokens(options, checkOptions(options));
}

async function* generateTokens(
  {
    ops,
    model,
    weights,
    packedWeights = {},
    prompt,
    stop = [],
    seed = 0,
    precision = fullPrecision,
    vocabularySize = model.config.vocabularySize,
    ...sampling
  }: GenerateOptions,
  maxTokens: number,
): AsyncGenerator<number, void, undefined> {
  const { contextLength } = model.config;
  const rounded = roundWeights(ops, model, weights, precision, packedWeights);
  let cache: KeyValueCache = {};
  const text = Array.from(prompt);

  /** The logits of the next token, and the cache extended to `text`. */
  async function nextLogits(fed: readonly number[]) {
    const { precision, encodedWeights } = rounded;
    const context = { precision, encodedWeights, packedWeights, key: { seed, step: text.length, sample: 0 } };
    const step: CachedLogits = ops.scope(() => {
      const tokens = ops.fromData(Int32Array.from(fed), [1, fed.length]);
      return model.decode(ops, rounded.weights, tokens, cache, context);
    });
    ops.dispose(cache);
    cache = step.cache;
    try {
      return await ops.read(step.logits);
    } finally {
      ops.dispose(step.logits);
    }
  }

  try {
    for (let generated = 0; generated < maxTokens; generated += 1) {
      const fitsCache = generated > 0 && text.length <= contextLength;
      if (!fitsCache) {
        ops.dispose(cache);
        cache = {};
      }
      const logits = await nextLogits(fitsCache ? text.slice(-1) : text.slice(-contextLength));
      const token = sampleToken(logits.subarray(0, vocabularySize), sampling, { seed, position: text.length, text });
      if (stop.includes(token)) return;
      text.push(token);
      yield token;
    }
  } finally {
    ops.dispose(cache);
    ops.dispose(rounded.owned);
  }
}

/** The number of tokens to generate. */
function checkOptions(options: GenerateOptions): number {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new LmdError('UNKNOWN_OPTION', `generate has no option named "${name}".`, {
      subject: name,
      value: options[name as keyof GenerateOptions],
      remedy: `The options are ${names.join(', ')}.`,
    });
  }
  checkModelOperations(options.ops);
  const { seed = 0, stop = [], prompt, model } = options;
  const { contextLength } = model.config;
  const { vocabularySize = model.config.vocabularySize } = options;
  const count = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  const isToken = (token: number): boolean => count(token, 0) && token < vocabularySize;

  const check = (fits: boolean, subject: string, value: unknown, remedy: string): void => {
    if (fits) return;
    throw new LmdError('INVALID_ARGUMENT', `generate cannot have ${subject} = ${showValue(value)}.`, {
      subject,
      value,
      remedy,
    });
  };
  checkSampling(options, 'generate');
  check(
    count(vocabularySize, 1) && vocabularySize <= model.config.vocabularySize,
    'vocabularySize',
    vocabularySize,
    `Use an integer from 1 to ${model.config.vocabularySize}, the vocabulary size of the model.`,
  );
  check(count(seed, 0), 'seed', seed, 'Use an integer of at least 0.');
  for (const token of [...Array.from(prompt), ...stop]) {
    check(isToken(token), 'token', token, `Use integers from 0 to ${vocabularySize - 1}.`);
  }
  check(
    prompt.length > 0,
    'prompt',
    'no tokens',
    'Use at least one token, such as the token that separates documents.',
  );
  const room = contextLength - prompt.length;
  const { maxTokens = room > 0 ? room : contextLength } = options;
  check(count(maxTokens, 0), 'maxTokens', maxTokens, 'Use an integer of at least 0.');
  return maxTokens;
}
