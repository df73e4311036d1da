/** How a tokenizer is written into files: enough to make it again (`tokenizerFromDescription`). */
export type TokenizerDescription =
  | { readonly name: 'gpt2' }
  | {
      readonly name: 'characters';
      /** One character (code point) a token, in the order of the tokens. */
      readonly characters: readonly string[];
    };

/** Turns tokens into text as they come: a character may take several tokens, and is given when it is whole. */
export interface StreamingDecoder {
  /** The text that this token completes; often a word, sometimes nothing. */
  push(token: number): string;
  /** What is left at the end: U+FFFD for a character that never became whole. */
  end(): string;
}

/** Text to tokens and back. A plain value without state: to bring your own, write one object. */
export interface Tokenizer {
  readonly name: string;
  /** Tokens are the integers below it, `endOfText` among them: the number of rows of a model's embedding. */
  readonly vocabularySize: number;
  /** The token between documents. No text encodes to it. */
  readonly endOfText: number;
  /**
   * Tokens of a text. All of it is text: what looks like a special token, as `<|endoftext|>` does, is characters like
   * any other.
   *
   * @throws LmdError `DATA_CORRUPT` for a character that the vocabulary lacks.
   */
  encode(text: string): Int32Array;
  /**
   * Text of tokens; `endOfText` becomes `<|endoftext|>`.
   *
   * @throws LmdError `DATA_CORRUPT` for a number that is no token.
   */
  decode(tokens: Iterable<number>): string;
  decoder(): StreamingDecoder;
  /** Absent where the tokenizer is a third party's that no file can describe. */
  readonly description?: TokenizerDescription;
}

export const endOfTextMark = '<|endoftext|>';

export function decodeWith(decoder: StreamingDecoder, tokens: Iterable<number>): string {
  let text = '';
  for (const token of tokens) text += decoder.push(token);
  return text + decoder.end();
}
