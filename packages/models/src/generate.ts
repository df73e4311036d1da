import { LmdError, type NamedTensors, type Operations, type Precision } from '@lmd/core';
import type { CachedLogits, Gpt2 } from './gpt2.js';
import type { KeyValueCache } from './layers/cached-block.js';
import { fullPrecision } from './precision.js';
import { roundWeights } from './rounded-weights.js';
import { type SamplingOptions, sampleToken } from './sampling.js';

export interface GenerateOptions extends SamplingOptions {
  readonly ops: Operations;
  readonly model: Pick<Gpt2, 'config' | 'prefill' | 'decode'>;
  readonly weights: NamedTensors;
  /** The tokens to go on from; at least one. GPT-2 begins a document after `<|endoftext|>`, 50256. */
  readonly prompt: ArrayLike<number>;
  /** How many tokens at most. Prompt and these must fit the model's context. Default: up to the end of the context. */
  readonly maxTokens?: number;
  /** Tokens that end the text; they are not given. Default none. */
  readonly stop?: readonly number[];
  /** Names the noise: the same seed, weights and prompt give the same text. Default 0. */
  readonly seed?: number;
  /** Of the products. Default full precision. */
  readonly precision?: Precision;
}

const names = [
  ...['ops', 'model', 'weights', 'prompt', 'temperature', 'topK', 'topP', 'repetitionPenalty'],
  ...['maxTokens', 'stop', 'seed', 'precision'],
];

/**
 * Goes on with a text, token by token, with a cache of keys and values. Ends after `maxTokens` or before a stop token; frees all
 * that it made when it ends, is left, or throws. `weights` must live until then.
 *
 * @throws LmdError at once, for options that are unknown or do not fit the model: a prompt without tokens or with unknown ones,
 * or one that is with `maxTokens` longer than the model's context.
 */
export function generate(options: GenerateOptions): AsyncGenerator<number, void, undefined> {
  return continueText(options, checkOptions(options));
}

async function* continueText(
  { ops, model, weights, prompt, stop = [], seed = 0, precision = fullPrecision, ...sampling }: GenerateOptions,
  maxTokens: number,
): AsyncGenerator<number, void, undefined> {
  const rounded = roundWeights(ops, model, weights, precision);
  const contextAt = (position: number) => ({
    precision: rounded.precision,
    key: { seed, step: position, sample: 0 },
  });
  let cache: KeyValueCache = {};
  const text = Array.from(prompt);
  try {
    let fed: ArrayLike<number> = prompt;
    for (let made = 0; made < maxTokens; made += 1) {
      const position = prompt.length + made;
      const step: CachedLogits = ops.scope(() => {
        const tokens = ops.fromData(Int32Array.from(fed), [1, fed.length]);
        return model.decode(ops, rounded.weights, tokens, cache, contextAt(position));
      });
      ops.dispose(cache);
      cache = step.cache;
      let logits: ArrayLike<number>;
      try {
        logits = await ops.read(step.logits);
      } finally {
        ops.dispose(step.logits);
      }
      const token = sampleToken(logits, sampling, { seed, position, text });
      if (stop.includes(token)) return;
      text.push(token);
      yield token;
      fed = [token];
    }
  } finally {
    ops.dispose(cache);
    ops.dispose(rounded.made);
  }
}

/** The number of tokens to make. */
function checkOptions(options: GenerateOptions): number {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new LmdError('UNKNOWN_OPTION', `generate has no option named "${name}".`, {
      subject: name,
      value: options[name as keyof GenerateOptions],
      remedy: `The options are ${names.join(', ')}.`,
    });
  }
  const { temperature = 1, topK = 1, topP = 1, seed = 0, stop = [], prompt } = options;
  const { repetitionPenalty = 1 } = options;
  const { vocabularySize, contextLength } = options.model.config;
  const count = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  const isToken = (token: number): boolean => count(token, 0) && token < vocabularySize;

  const check = (fits: boolean, subject: string, value: unknown, remedy: string): void => {
    if (fits) return;
    throw new LmdError('INVALID_ARGUMENT', `generate cannot have ${subject} = ${String(value)}.`, {
      subject,
      value,
      remedy,
    });
  };
  check(temperature >= 0 && temperature < Number.POSITIVE_INFINITY, 'temperature', temperature, 'Give 0 or more.');
  check(count(topK, 1), 'topK', topK, 'Give a positive integer.');
  check(topP > 0 && topP <= 1, 'topP', topP, 'Give a number above 0, and at most 1.');
  check(
    repetitionPenalty > 0 && repetitionPenalty < Number.POSITIVE_INFINITY,
    'repetitionPenalty',
    repetitionPenalty,
    'Give a number above 0; above 1 it makes repetitions rarer.',
  );
  check(count(seed, 0), 'seed', seed, 'Give an integer, 0 or more.');
  for (const token of [...Array.from(prompt), ...stop]) {
    check(isToken(token), 'token', token, `Tokens of this model are integers from 0 to ${vocabularySize - 1}.`);
  }
  check(prompt.length > 0, 'prompt', 'no tokens', 'Give at least one, such as the token that separates documents.');
  const room = contextLength - prompt.length;
  check(
    room >= 0,
    'prompt',
    `${prompt.length} tokens`,
    `The model's context is ${contextLength} tokens: cut the prompt.`,
  );
  const { maxTokens = room } = options;
  check(
    count(maxTokens, 0) && maxTokens <= room,
    'maxTokens',
    maxTokens,
    `The model's context is ${contextLength} tokens, and ${prompt.length} are in the prompt: give 0 to ${room}.`,
  );
  return maxTokens;
}
