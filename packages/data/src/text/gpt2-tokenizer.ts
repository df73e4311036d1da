import { LmdError } from '@lmd/core';
import { decodeWith, endOfTextMark, type StreamingDecoder, type Tokenizer } from './tokenizer.js';

const endOfText = 50256;

/**
 * GPT-2's byte-pair tokenizer: 50,257 tokens, the last of which separates documents (Radford et al., "Language Models
 * are Unsupervised Multitask Learners", 2019, section 2.2). The vocabulary, 0.6 MB of script, and the encoder are those
 * of `gpt-tokenizer`, bundled in this package as files that the first call loads. The tokens are those of tiktoken, in
 * every engine (`gpt2Pattern`).
 *
 * Decoding is exact for complete characters; invalid UTF-8 becomes U+FFFD, as in the original.
 */
export function gpt2Tokenizer(): Promise<Tokenizer> {
  memo ??= load();
  return memo;
}

let memo: Promise<Tokenizer> | undefined;

/** The bytes of GPT-2's tokens, by token, without the one between documents, which is the next. */
export async function gpt2Vocabulary(): Promise<readonly Uint8Array[]> {
  const { default: vocabulary } = await import('gpt-tokenizer/bpeRanks/r50k_base');
  const encoder = new TextEncoder();
  return Array.from({ length: endOfText }, (_, token) => {
    const entry = vocabulary[token]!;
    return typeof entry === 'string' ? encoder.encode(entry) : Uint8Array.from(entry);
  });
}

async function load(): Promise<Tokenizer> {
  const [{ BytePairEncodingCore }, { default: vocabulary }, { gpt2Pattern }] = await Promise.all([
    import('gpt-tokenizer/BytePairEncodingCore'),
    import('gpt-tokenizer/bpeRanks/r50k_base'),
    import('./gpt2-pattern.js'),
  ]);
  // Without a pattern of special tokens: their names in a text are text.
  const pairs = new BytePairEncodingCore({
    bytePairRankDecoder: vocabulary,
    specialTokensEncoder: new Map([[endOfTextMark, endOfText]]),
    tokenSplitRegex: gpt2Pattern,
  });
  const encoder = new TextEncoder();
  // Not the package's decoder, whose shared TextDecoder keeps the bytes of an incomplete character for the next call.
  const bytesOf = (token: number): Uint8Array => {
    const entry = token === endOfText ? endOfTextMark : vocabulary[token];
    if (entry === undefined) {
      throw new LmdError('DATA_CORRUPT', `${token} is not a token of GPT-2.`, {
        subject: 'token',
        value: token,
        remedy: `Tokens must be integers from 0 to ${endOfText}. Check their source.`,
      });
    }
    return typeof entry === 'string' ? encoder.encode(entry) : Uint8Array.from(entry);
  };
  const decoder = (): StreamingDecoder => {
    const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
    return { push: (token) => utf8.decode(bytesOf(token), { stream: true }), end: () => utf8.decode() };
  };
  return {
    name: 'gpt2',
    vocabularySize: endOfText + 1,
    endOfText,
    // Not encodeNative: it passes the tokens of each piece as arguments, of which an engine takes no more than some
    // 100,000.
    encode: (text) => Int32Array.from([...pairs.encodeNativeGenerator(text)].flat()),
    decode: (tokens) => decodeWith(decoder(), tokens),
    decoder,
    description: { name: 'gpt2' },
  };
}
