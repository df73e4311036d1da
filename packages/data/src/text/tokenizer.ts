/** A serializable description of a tokenizer (`tokenizerFromDescription`). */
export type TokenizerDescription = { readonly name: 'gpt2' } | CharacterDescription;

export interface CharacterDescription {
  readonly name: 'characters';
  /** One character (code point) per token, in the order of the tokens. */
  readonly characters: readonly string[];
}

/** Decodes a stream of tokens: a character may need several tokens, and is returned when it is complete. */
export interface StreamingDecoder {
  /** The text completed by this token; often a word, sometimes empty. */
  push(token: number): string;
  /** The rest at the end: U+FFFD for an incomplete character. */
  end(): string;
}

/** Encodes and decodes text. Stateless; a custom tokenizer is an object with this interface. */
export interface Tokenizer {
  readonly name: string;
  /** Number of tokens, including `endOfText`: the number of rows of a model's embedding. */
  readonly vocabularySize: number;
  /** The token between documents. Text is never encoded to it. */
  readonly endOfText: number;
  /**
   * Encodes a text. Special tokens such as `<|endoftext|>` in it are encoded as plain text.
   *
   * @throws LmdError `DATA_CORRUPT` for a character that is not in the vocabulary.
   */
  encode(text: string): Int32Array;
  /**
   * Text of tokens; `endOfText` becomes `<|endoftext|>`.
   *
   * @throws LmdError `DATA_CORRUPT` for a number that is not a token.
   */
  decode(tokens: Iterable<number>): string;
  decoder(): StreamingDecoder;
  /** Absent for a custom tokenizer that cannot be serialized. */
  readonly description?: TokenizerDescription;
}

export const endOfTextMark = '<|endoftext|>';

export function decodeWith(decoder: StreamingDecoder, tokens: Iterable<number>): string {
  let text = '';
  for (const token of tokens) text += decoder.push(token);
  return text + decoder.end();
}
