import {
  type BlockFormat,
  checkModelOperations,
  LmdError,
  type NamedTensors,
  type Operations,
  type OptionsOf,
  type OptionTable,
  option,
  type PackedMatrices,
  type Precision,
  resolveOptions,
  showValue,
} from '@lmd/core';
import { invalid } from './config-checks.js';
import type { CachedLogits, Gpt2 } from './gpt2.js';
import { checkCacheFormat } from './layers/cache-format.js';
import type { KeyValueCache } from './layers/cached-block.js';
import { fullPrecision } from './precision.js';
import { roundWeights } from './rounded-weights.js';
import { sampleToken, samplingOptionTable } from './sampling.js';

/** The options of `generate`, declared once. */
export const generateOptionTable = {
  /** Operations that run the computation. An object; required. */
  ops: option.object<Operations>({ required: true, describe: 'Operations that run the computation.' }),
  /** The language model. An object; required. */
  model: option.object<Pick<Gpt2, 'config' | 'prefill' | 'decode'>>({
    required: true,
    describe: 'The language model.',
  }),
  /** Weights of the model; they must not be disposed before the generation ends. An object; required. */
  weights: option.object<NamedTensors>({
    required: true,
    describe: 'Weights of the model; they must not be disposed before the generation ends.',
  }),
  /**
   * Weights that are stored as packed codes, by name (`packWeights`). They replace the tensors of these names, which
   * `weights` may omit. Default: none. An object.
   */
  packedWeights: option.object<PackedMatrices>({
    describe:
      'Weights that are stored as packed codes, by name (`packWeights`). They replace the tensors of these ' +
      'names, which `weights` may omit. Default: none.',
  }),
  /** Prompt tokens, at least one. GPT-2 starts a document after `<|endoftext|>`, 50256. A list of tokens; required. */
  prompt: option.value<ArrayLike<number>>({
    required: true,
    describe: 'Prompt tokens, at least one. GPT-2 starts a document after `<|endoftext|>`, 50256.',
    allowed: 'a list of tokens',
    check: isList,
  }),
  /**
   * Maximum number of new tokens. Beyond the context length of the model, each token is computed from the last
   * `contextLength` tokens by a full forward pass: positions are absolute, so that the key-value cache cannot be used.
   * Default: up to the end of the context, or `contextLength` if the prompt fills it. A whole number, at least 0.
   */
  maxTokens: option.integer({
    atLeast: 0,
    describe:
      'Maximum number of new tokens. Beyond the context length of the model, each token is computed from the ' +
      'last `contextLength` tokens by a full forward pass: positions are absolute, so that the key-value cache ' +
      'cannot be used. Default: up to the end of the context, or `contextLength` if the prompt fills it.',
  }),
  /**
   * Vocabulary size of the tokenizer. Further rows of the embedding, with which some models pad it to a round number,
   * are never sampled. Default: that of the model. A whole number, at least 1.
   */
  vocabularySize: option.integer({
    atLeast: 1,
    describe:
      'Vocabulary size of the tokenizer. Further rows of the embedding, with which some models pad it to a round ' +
      'number, are never sampled. Default: that of the model.',
  }),
  /** Tokens that end the text; they are not returned. Default: none. A list of tokens. */
  stop: option.value<readonly number[]>({
    describe: 'Tokens that end the text; they are not returned. Default: none.',
    allowed: 'a list of tokens',
    check: isList,
  }),
  ...samplingOptionTable,
  /** Random seed: the same seed, weights and prompt give the same text. A whole number, at least 0; default 0. */
  seed: option.integer({
    atLeast: 0,
    default: 0,
    describe: 'Random seed: the same seed, weights and prompt give the same text.',
  }),
  /**
   * Precision of the matrix products. Packed weights are not rounded again; in their products it applies to the
   * activations. Default: full precision. An object.
   */
  precision: option.object<Precision>({
    describe:
      'Precision of the matrix products. Packed weights are not rounded again; in their products it applies to ' +
      'the activations. Default: full precision.',
  }),
  /**
   * Block format of the key-value cache, stored as codes and scales: `formats.mxint8`, or another format of
   * `@lmd/mx-formats` with power-of-two scales. Default: f32. An object.
   */
  cacheFormat: option.object<BlockFormat>({
    describe:
      'Block format of the key-value cache, stored as codes and scales: `formats.mxint8`, or another format of ' +
      '`@lmd/mx-formats` with power-of-two scales. Default: f32.',
  }),
} as const satisfies OptionTable;

export interface GenerateOptions extends OptionsOf<typeof generateOptionTable> {}

/** Why a generation ended: after `maxTokens`, or before a token of `stop`. */
export type GenerateEnd = 'length' | 'stopToken';

function isList(value: unknown): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/**
 * Generates the continuation of a prompt with a key-value cache. Ends after `maxTokens` or before a stop token. All
 * tensors created are freed when it ends, is left, or throws; `weights` must not be freed before. A text longer than
 * the context is cropped to its last tokens, as in nanoGPT.
 *
 * @returns when it ends, `length` or, before a token of `stop`, `stopToken`.
 * @throws LmdError immediately, for options that are unknown or do not match the model, such as an empty prompt or one
 * with unknown tokens; `NON_FINITE` if logits are not finite.
 */
export function generate(options: GenerateOptions): AsyncGenerator<number, GenerateEnd, undefined> {
  return generateTokens(checkedOptions(options));
}

async function* generateTokens(options: CheckedOptions): AsyncGenerator<number, GenerateEnd, undefined> {
  const { ops, model, weights, packedWeights, prompt, maxTokens, vocabularySize, stop, seed, precision } = options;
  const { temperature, topK, topP, repetitionPenalty, cacheFormat } = options;
  const sampling = { temperature, topP, repetitionPenalty, ...(topK === undefined ? {} : { topK }) };
  const { contextLength } = model.config;
  const rounded = roundWeights(ops, model, weights, precision, packedWeights);
  let cache: KeyValueCache = {};
  const text = Array.from(prompt);

  /** The logits of the next token, and the cache extended to `text`. */
  async function nextLogits(fed: readonly number[]) {
    const { precision, encodedWeights } = rounded;
    const context = {
      precision,
      encodedWeights,
      packedWeights,
      cacheFormat,
      key: { seed, step: text.length, sample: 0 },
    };
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
      if (stop.includes(token)) return 'stopToken';
      text.push(token);
      yield token;
    }
    return 'length';
  } finally {
    ops.dispose(cache);
    ops.dispose(rounded.owned);
  }
}

type CheckedOptions = ReturnType<typeof checkedOptions>;

function checkedOptions(options: GenerateOptions) {
  const given = resolveOptions('generate', generateOptionTable, options);
  checkModelOperations(options.ops);
  if (given.cacheFormat !== undefined) checkCacheFormat(given.cacheFormat);
  const { model, prompt, packedWeights = {}, stop = [], precision = fullPrecision } = given;
  const { contextLength, vocabularySize: most } = model.config;
  const { vocabularySize = most } = given;
  if (vocabularySize > most) {
    throw invalid('generate', 'vocabularySize', vocabularySize, `The model has ${most} tokens: give 1 to that.`);
  }
  if (prompt.length === 0) {
    throw invalid('generate', 'prompt', prompt, 'Use at least one token, such as the one that separates documents.');
  }
  for (const [name, tokens] of Object.entries({ prompt, stop })) {
    const wrong = Array.from(tokens).find(
      (token) => !(Number.isInteger(token) && token >= 0 && token < vocabularySize),
    );
    if (wrong === undefined) continue;
    throw new LmdError('INVALID_ARGUMENT', `generate: ${name} has the token ${showValue(wrong)}.`, {
      subject: 'token',
      value: wrong,
      remedy: `Use integers from 0 to ${vocabularySize - 1}.`,
    });
  }
  const room = contextLength - prompt.length;
  const { maxTokens = room > 0 ? room : contextLength } = given;
  return { ...given, packedWeights, stop, precision, vocabularySize, maxTokens };
}
