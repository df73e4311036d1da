import { fillRandomBits, streamOf } from '@lmd/core';

/** An independent text, such as a file or a speech. */
export interface TextDocument {
  /** Unique name, which also determines whether it is in the training or the validation part. */
  readonly name: string;
  /** The text, as a whole or in consecutive parts. */
  readonly text: string | Iterable<string> | AsyncIterable<string>;
}

export type CorpusPart = 'train' | 'validation';

/**
 * The part of a document: validation with probability `fraction`. It depends only on (seed, name), so that adding a
 * document to a corpus does not move others.
 */
export function partOf(name: string, fraction: number, seed: number): CorpusPart {
  const bits = new Uint32Array(4);
  fillRandomBits(bits, { seed, stream: streamOf('document-split'), step: streamOf(name), sample: 0 });
  return bits[0]! / 2 ** 32 < fraction ? 'validation' : 'train';
}
