import type { TextDocument } from './documents.js';
import { gpt2Boundary } from './gpt2-boundary.js';
import type { Tokenizer } from './tokenizer.js';

/** Number of characters (UTF-16 units) encoded at once, to bound memory. */
const chunk = 1 << 18;

/**
 * Encodes a document in parts, with the same tokens as for the whole text. Parts end between a non-white-space and a
 * white-space character, which no token of GPT-2 spans, since every alternative of the pre-tokenization pattern starts
 * a new match there. A text without such a position is encoded at once.
 */
export async function* encodeDocument(
  tokenizer: Tokenizer,
  text: TextDocument['text'],
  size = chunk,
): AsyncGenerator<Int32Array> {
  let rest = '';
  for await (const part of typeof text === 'string' ? [text] : text) {
    rest = rest === '' ? part : rest + part;
    let from = 0;
    while (rest.length - from > size) {
      gpt2Boundary.lastIndex = from + size - 1;
      if (gpt2Boundary.exec(rest) === null) break;
      const to = gpt2Boundary.lastIndex;
      yield tokenizer.encode(rest.slice(from, to));
      from = to;
    }
    rest = rest.slice(from);
  }
  if (rest !== '') yield tokenizer.encode(rest);
}
