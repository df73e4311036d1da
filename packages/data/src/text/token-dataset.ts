import { LmdError, numberOption, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Dataset } from '@lmd/training';

/** A source of tokens, in memory or in a file. */
export interface TokenSource {
  /** Name in errors and checkpoints. */
  readonly name: string;
  /** Number of tokens. */
  readonly size: number;
  readonly vocabularySize: number;
  /** `count` tokens from `start`. */
  read(start: number, count: number): Uint16Array | Int32Array | Promise<Uint16Array | Int32Array>;
}

/** The options of `tokenDataset`, declared once. */
export const tokenDatasetOptionTable = {
  /** Length of an example in tokens: the context length. A whole number, at least 1; required. */
  length: option.integer({
    atLeast: 1,
    required: true,
    describe: 'Length of an example in tokens: the context length.',
  }),
  /**
   * Number of tokens from the start of one example to the start of the next. Default: `length`, so that every token is
   * predicted once. A whole number, at least 1.
   */
  stride: option.integer({
    atLeast: 1,
    describe:
      'Number of tokens from the start of one example to the start of the next. Default: `length`, so that every ' +
      'token is predicted once.',
  }),
} as const satisfies OptionTable;

export interface TokenDatasetOptions extends OptionsOf<typeof tokenDatasetOptionTable> {}

/**
 * Examples for a language model: windows of `length` + 1 tokens, of which the first `length` are the inputs, i32
 * [examples, length], and the last `length` the labels. A window may span the end of a document and the start of the
 * next, with the token `endOfText` between them. Remaining tokens that do not fill a window are not used.
 *
 * @throws LmdError `INVALID_ARGUMENT` for a context longer than the tokens; `DATA_CORRUPT`, from `batch`, for a number
 * outside the vocabulary, naming its position.
 */
export function tokenDataset(source: TokenSource, options: TokenDatasetOptions): Dataset {
  const checked = resolveOptions('tokenDataset', tokenDatasetOptionTable, options);
  const { length, stride = length } = checked;
  const { name, vocabularySize } = source;
  if (source.size < length + 1) {
    throw new LmdError(
      'INVALID_ARGUMENT',
      `length is ${length}, which needs ${length + 1} tokens, but "${name}" has ${source.size}.`,
      {
        subject: 'length',
        value: length,
        remedy: source.size > 1 ? `Use at most ${source.size - 1}, or more text.` : 'Use more text.',
      },
    );
  }
  const size = Math.floor((source.size - 1 - length) / stride) + 1;
  return {
    name: `${name}/${length}${stride === length ? '' : `/${stride}`}`,
    size,
    classes: vocabularySize,
    inputShape: [length],
    async batch(indices) {
      const inputs = new Int32Array(indices.length * length);
      const labels = new Int32Array(indices.length * length);
      const windows = await Promise.all(Array.from(indices, (index) => source.read(index * stride, length + 1)));
      windows.forEach((window, row) => {
        const wrong = window.findIndex((token) => token < 0 || token >= vocabularySize);
        if (wrong >= 0) throw outsideVocabulary(source, indices[row]! * stride + wrong, window[wrong]!);
        inputs.set(window.subarray(0, length), row * length);
        labels.set(window.subarray(1), row * length);
      });
      const shape = [indices.length, length];
      return { inputs: { data: inputs, shape, dtype: 'i32' }, labels: { data: labels, shape } };
    },
  };
}

function outsideVocabulary({ name, vocabularySize }: TokenSource, position: number, token: number): LmdError {
  return new LmdError(
    'DATA_CORRUPT',
    `Token ${position} of "${name}" is ${token}, but the vocabulary size is ${vocabularySize}.`,
    {
      subject: name,
      value: token,
      remedy: 'The file is damaged, or was written with another tokenizer. Prepare the data again.',
    },
  );
}

/** Tokens in memory as a source. They are not copied. */
export function tokensInMemory(name: string, tokens: Uint16Array | Int32Array, vocabularySize: number): TokenSource {
  return {
    name,
    size: tokens.length,
    vocabularySize: numberOption('tokensInMemory', 'vocabularySize', vocabularySize, { atLeast: 1, integer: true }),
    read: (start, count) => tokens.subarray(start, start + count),
  };
}
