import type { Precision } from '@lmd/core';
import {
  type EagerOperations,
  LmdError,
  type NamedTensors,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
} from '@lmd/core';
import { generate, generateOptionTable, type PackedModel, samplingOptionTable } from '@lmd/models';
import type { LanguageModel } from './language-model.js';

/** The options of `generate` of a loaded model, declared once. */
export const generateTextOptionTable = {
  /**
   * Maximum number of new tokens. Beyond the context length of the model, each token is computed from the last
   * `contextLength` tokens by a full forward pass: positions are absolute, so that the key-value cache cannot be used.
   * Default: up to the end of the context, or `contextLength` if the prompt fills it. A whole number, at least 0.
   */
  maxTokens: generateOptionTable.maxTokens,
  ...samplingOptionTable,
  /** Random seed: the same seed, weights and prompt give the same text. A whole number, at least 0; default 0. */
  seed: generateOptionTable.seed,
  /**
   * Block format of the key-value cache, stored as codes and scales: `formats.mxint8`, or another format of
   * `@lmd/mx-formats` with power-of-two scales. Default: f32. An object.
   */
  cacheFormat: generateOptionTable.cacheFormat,
  /** Stops the generation when it is aborted; the text so far stays. An object. */
  signal: option.object<{ readonly aborted: boolean }>({
    describe: 'Stops the generation when it is aborted; the text so far stays.',
  }),
} as const satisfies OptionTable;

export interface GenerateTextOptions extends OptionsOf<typeof generateTextOptionTable> {}

/** A text that is being generated. It is computed as it is read, once: by `for await`, or as a whole by `text`. */
export interface GeneratedText extends AsyncIterable<string> {
  /** The whole continuation, without the prompt. */
  text(): Promise<string>;
}

/**
 * Continues a prompt, piece by piece. An empty prompt starts a new document.
 *
 * @throws LmdError at once for options that are unknown or out of range; while it is read, errors of the backend.
 */
export function generateText(
  ops: EagerOperations,
  { model, tokenizer }: LanguageModel,
  { weights, packedWeights }: PackedModel,
  precision: Precision,
  prompt: string,
  options: GenerateTextOptions,
): GeneratedText {
  if (typeof prompt !== 'string') {
    throw new LmdError('INVALID_ARGUMENT', `generate: the prompt is ${typeof prompt}.`, {
      subject: 'prompt',
      value: prompt,
      remedy: 'Pass a text. An empty one starts a new document.',
    });
  }
  const { signal, ...checked } = resolveOptions('generate', generateTextOptionTable, options);
  const encoded = tokenizer.encode(prompt);
  const tokens = generate({
    ...checked,
    ...{ ops, model, weights: weights as NamedTensors, packedWeights, precision },
    prompt: encoded.length === 0 ? Int32Array.of(tokenizer.endOfText) : encoded,
    stop: [tokenizer.endOfText],
    // Other libraries pad the vocabulary: the padding rows are not tokens.
    vocabularySize: tokenizer.vocabularySize,
  });
  async function* pieces(): AsyncGenerator<string, void, undefined> {
    const decoder = tokenizer.decoder();
    for await (const token of tokens) {
      const piece = decoder.push(token);
      if (piece !== '') yield piece;
      if (signal?.aborted === true) break;
    }
    const rest = decoder.end();
    if (rest !== '') yield rest;
  }
  const stream = pieces();
  return {
    [Symbol.asyncIterator]: () => stream,
    async text() {
      let text = '';
      for await (const piece of stream) text += piece;
      return text;
    },
  };
}
