import { fillRandomBits, streamOf } from '@lmd/core';

/** A text of its own, such as a file or a speech: what comes before it says nothing about what comes in it. */
export interface TextDocument {
  /** By which it is told from others, and by which it falls to training or validation: no two equal. */
  readonly name: string;
  /** The text, whole or in parts that follow one another. */
  readonly text: string | Iterable<string> | AsyncIterable<string>;
}

export type CorpusPart = 'train' | 'validation';

/**
 * To which part a document belongs: validation with probability `fraction`. A function of (seed, name) alone, so that a
 * document added to a corpus moves no other.
 */
export function partOf(name: string, fraction: number, seed: number): CorpusPart {
  const bits = new Uint32Array(4);
  fillRandomBits(bits, { seed, stream: streamOf('document-split'), step: streamOf(name), sample: 0 });
  return bits[0]! / 2 ** 32 < fraction ? 'validation' : 'train';
}
