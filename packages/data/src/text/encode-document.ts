import type { TextDocument } from './documents.js';
import { gpt2Boundary } from './gpt2-pattern.js';
import type { Tokenizer } from './tokenizer.js';

/** Characters (UTF-16 units) that are encoded at once: enough to be fast, and little enough to bound memory. */
const chunk = 1 << 18;

/**
 * Tokens of a document, part by part: the very tokens of the whole text, since the parts are cut between a character
 * that is no white space and one that is, where no token of GPT-2 reaches across: each of the patterns that split the
 * text before the pairs are merged begins anew there. A text without such a place is encoded in one.
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
