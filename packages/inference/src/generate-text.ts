import {
  type EagerOperations,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  type Precision,
  resolveOptions,
} from '@lmd/core';
import {
  type GenerateTextOptions,
  generateText,
  generateTextOptionTable,
  type PackedModel,
  samplingOptionTable,
} from '@lmd/models';
import type { LanguageModel } from './language-model.js';

/** The options of `generate` of a loaded model, declared once. */
export const generationOptionTable = {
  /**
   * Maximum number of new tokens. Beyond the context length of the model, each token is computed from the last
   * `contextLength` tokens by a full forward pass: positions are absolute, so that the key-value cache cannot be used.
   * Default: up to the end of the context, or `contextLength` if the prompt fills it. A whole number, at least 0.
   */
  maxTokens: generateTextOptionTable.maxTokens,
  ...samplingOptionTable,
  /** Random seed: the same seed, weights and prompt give the same text. A whole number, at least 0; default 0. */
  seed: generateTextOptionTable.seed,
  /**
   * Block format of the key-value cache, stored as codes and scales: `formats.mxint8`, or another format of
   * `@lmd/mx-formats` with power-of-two scales. Default: f32. An object.
   */
  cacheFormat: generateTextOptionTable.cacheFormat,
  /**
   * Texts that end the generation. A text may begin in one token and end in a later one; none of it is returned.
   * Default: none. A list of non-empty texts.
   */
  stopSequences: generateTextOptionTable.stopSequences,
  /** Stops the generation when it is aborted; the text so far stays. An object. */
  signal: option.object<{ readonly aborted: boolean }>({
    describe: 'Stops the generation when it is aborted; the text so far stays.',
  }),
} as const satisfies OptionTable;

export interface GenerationOptions extends OptionsOf<typeof generationOptionTable> {}

/** A text that is being generated. It is computed as it is read, once: by `for await`, or as a whole by `text`. */
export interface TextStream extends AsyncIterable<string> {
  /** The whole continuation, without the prompt. */
  text(): Promise<string>;
}

/**
 * Continues a prompt, piece by piece. An empty prompt starts a new document.
 *
 * @throws LmdError at once for options that are unknown or out of range; while it is read, errors of the backend.
 */
export function continueText(
  ops: EagerOperations,
  { model, tokenizer }: LanguageModel,
  { weights, packedWeights }: PackedModel,
  precision: Precision,
  prompt: string,
  options: GenerationOptions,
): TextStream {
  if (typeof prompt !== 'string') {
    throw new LmdError('INVALID_ARGUMENT', `generate: the prompt is ${typeof prompt}.`, {
      subject: 'prompt',
      value: prompt,
      remedy: 'Pass a text. An empty one starts a new document.',
    });
  }
  const { signal, ...checked } = resolveOptions('generate', generationOptionTable, options);
  const encoded = tokenizer.encode(prompt);
  const parts = generateText({
    ...checked,
    ...{ ops, model, weights, packedWeights, precision, decoder: tokenizer.decoder() },
    prompt: encoded.length === 0 ? Int32Array.of(tokenizer.endOfText) : encoded,
    stop: [tokenizer.endOfText],
    // Other libraries pad the vocabulary: the padding rows are not tokens.
    vocabularySize: tokenizer.vocabularySize,
  } as GenerateTextOptions);
  async function* pieces(): AsyncGenerator<string, void, undefined> {
    for await (const { text } of parts) {
      if (text !== '') yield text;
      if (signal?.aborted === true) return;
    }
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
