import type { TextDocument } from './documents.js';
import { encodeDocument } from './encode-document.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * The tokens of documents in memory, each document followed by `endOfText`, as in a token file: a source for
 * `tokensInMemory`.
 *
 * @returns 16-bit tokens where the vocabulary allows it.
 * @throws LmdError errors of the documents and of the tokenizer.
 */
export async function encodeDocuments(
  tokenizer: Tokenizer,
  documents: Iterable<TextDocument> | AsyncIterable<TextDocument>,
): Promise<Uint16Array | Int32Array> {
  const parts: Int32Array[] = [];
  for await (const { text } of documents) {
    for await (const tokens of encodeDocument(tokenizer, text)) parts.push(tokens);
    parts.push(Int32Array.of(tokenizer.endOfText));
  }
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const all = tokenizer.vocabularySize <= 2 ** 16 ? new Uint16Array(size) : new Int32Array(size);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
