import { LmdError } from '@lmd/core';
import { type Tokenizer, tokenizerFromDescription } from '@lmd/data/text';
import type { Gpt2 } from '@lmd/models';
import type { ModelDescription } from './description.js';
import { modelOf } from './model-file.js';

/**
 * Embeddings are padded to a multiple of 64 or 128 for speed, such as from 50257 to 50304. A larger difference means
 * another vocabulary.
 */
const mostPadding = 1023;

/** A GPT-2 and the tokenizer that it was trained with. */
export interface LanguageModel {
  readonly model: Gpt2;
  readonly tokenizer: Tokenizer;
}

/**
 * The language model that a file describes.
 *
 * @param path of the file, for errors.
 * @throws LmdError `INVALID_ARGUMENT` if it is none, or its tokenizer is of another vocabulary; `DATA_CORRUPT` for a
 *   damaged description of the tokenizer.
 */
export async function languageModelOf(path: string, description: ModelDescription | undefined): Promise<LanguageModel> {
  const { tokenizer: described } = description ?? {};
  const model = described === undefined ? undefined : modelOf(description);
  if (model?.architecture !== 'gpt2') {
    throw new LmdError('INVALID_ARGUMENT', `${path} is not a language model.`, {
      subject: 'model',
      value: path,
      remedy:
        'Use a run of a gpt2, its model.safetensors, or a folder with a GPT-2 of transformers and its config.json.',
    });
  }
  const tokenizer = await tokenizerFromDescription(described);
  const { vocabularySize } = model.config;
  const padding = vocabularySize - tokenizer.vocabularySize;
  if (padding >= 0 && padding <= mostPadding) return { model, tokenizer };
  throw new LmdError(
    'INVALID_ARGUMENT',
    `${path} has a vocabulary of ${vocabularySize}, but its tokenizer (${tokenizer.name}) has ` +
      `${tokenizer.vocabularySize} tokens.`,
    {
      subject: 'model',
      value: vocabularySize,
      remedy: 'Use the run or model of lmd that it was exported from, which contains the name of its tokenizer.',
    },
  );
}
