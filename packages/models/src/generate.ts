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
import type { KeyValueCache } from './layers/cached-block.js';
import { checkCacheFormat } from './layers/row-codec.js';
import { fullPrecision } from './precision.js';
import { roundWeights } from './rounded-weights.js';
import { sampleToken, samplingOptionTable } from './sampling.js';

/** The options of `generate`, declared once. */
export const generateOptionTable = {
  /** Where to compute. An object; required. */
  ops: option.object<Operations>({ required: true, describe: 'Where to compute.' }),
  /** The language model. An object; required. */
  model: option.object<Pick<Gpt2, 'config' | 'prefill' | 'decode'>>({
    required: true,
    describe: 'The language model.',
  }),
  /** Its weights, which must live until the generation ends. An object; required. */
  weights: option.object<NamedTensors>({
    required: true,
    describe: 'Its weights, which must live until the generation ends.',
  }),
  /**
   * Weights that are kept as packed codes, by name (`packWeights`): they take the place of the tensors of those names,
   * which `weights` need not have. By default none. An object.
   */
  packedWeights: option.object<PackedMatrices>({
    describe:
      'Weights that are kept as packed codes, by name (`packWeights`): they take the place of the tensors of those names, which `weights` need not have. By default none.',
  }),
  /**
   * The tokens before the generated ones; at least one. GPT-2 begins a document after `<|endoftext|>`, 50256. A list of
   * tokens; required.
   */
  prompt: option.value<ArrayLike<number>>({
    required: true,
    describe:
      'The tokens before the generated ones; at least one. GPT-2 begins a document after `<|endoftext|>`, 50256.',
    allowed: 'a list of tokens',
    check: isList,
  }),
  /**
   * Maximum number of new tokens. Beyond the context of the model, each token comes from the last `contextLength`
   * tokens alone, by a whole forward pass: positions are absolute, so that no cache serves. By default up to the end of
   * the context, or `contextLength` where the prompt fills it. A whole number, at least 0.
   */
  maxTokens: option.integer({
    atLeast: 0,
    describe:
      'Maximum number of new tokens. Beyond the context of the model, each token comes from the last `contextLength` tokens alone, by a whole forward pass: positions are absolute, so that no cache serves. By default up to the end of the context, or `contextLength` where the prompt fills it.',
  }),
  /**
   * How many tokens the tokenizer has. The rows of the embedding from there on, by which some models pad it to a round
   * number, are never drawn. By default all of the model's. A whole number, at least 1.
   */
  vocabularySize: option.integer({
    atLeast: 1,
    describe:
      "How many tokens the tokenizer has. The rows of the embedding from there on, by which some models pad it to a round number, are never drawn. By default all of the model's.",
  }),
  /** Tokens that end the text; they are not given. By default none. A list of tokens. */
  stop: option.value<readonly number[]>({
    describe: 'Tokens that end the text; they are not given. By default none.',
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
   * Of the products. Packed weights are not rounded again: of them, it is the precision of the activations. By default
   * full precision. An object.
   */
  precision: option.object<Precision>({
    describe:
      'Of the products. Packed weights are not rounded again: of them, it is the precision of the activations. By default full precision.',
  }),
  /**
   * Block format in which keys and values of earlier tokens are kept, as codes and scales: `formats.mxint8`, or another
   * format of `@lmd/mx-formats` with scales that are powers of two. By default f32. An object.
   */
  cacheFormat: option.object<BlockFormat>({
    describe:
      'Block format in which keys and values of earlier tokens are kept, as codes and scales: `formats.mxint8`, or another format of `@lmd/mx-formats` with scales that are powers of two. By default f32.',
  }),
} as const satisfies OptionTable;

export interface GenerateOptions extends OptionsOf<typeof generateOptionTable> {}

function isList(value: unknown): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/**
 * Generates the continuation of a prompt with a key-value cache. Ends after `maxTokens` or before a stop token. All
 * tensors created are freed when it ends, is left, or throws; `weights` must not be freed before. A text longer than
 * the context is cropped to its last tokens, as in nanoGPT.
 *
 * @throws LmdError immediately, for options that are unknown or do not match the model, such as an empty prompt or one
 * with unknown tokens; `NON_FINITE` if logits are not finite.
 */
export function generate(options: GenerateOptions): AsyncGenerator<number, void, undefined> {
  return generateTokens(checkedOptions(options));
}

async function* generateTokens(options: CheckedOptions): AsyncGenerator<number, void, undefined> {
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
      if (stop.includes(token)) return;
      text.push(token);
      yield token;
    }
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
