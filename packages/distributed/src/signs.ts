import { type Ballot, countVotes } from './count-votes.js';

/** Number of 32-bit words for the signs of `count` coordinates. */
export const wordsOf = (count: number): number => Math.ceil(count / 32);

/** Which way a coordinate without a direction votes. */
export interface ZeroRule {
  readonly step: number;
  readonly rank: number;
}

/**
 * Packs signs, one bit a coordinate, from the lowest bit of the first word: 1 for up, 0 for down. A coordinate of sign
 * 0 votes up where index + step + rank is even, so that the votes of two neighbouring ranks cancel, and one that
 * remains alternates from step to step. Our choice.
 */
export function packSigns(signs: Float32Array, { step, rank }: ZeroRule): Uint32Array {
  const words = new Uint32Array(wordsOf(signs.length));
  const parity = (step + rank) % 2;
  for (let index = 0; index < signs.length; index++) {
    const sign = signs[index]!;
    if (sign > 0 || (sign === 0 && index % 2 === parity)) words[index >>> 5]! |= 1 << (index & 31);
  }
  return words;
}

/** Packs which coordinates have a direction at all: 1 for a sign other than 0. */
export function packNonZeros(signs: Float32Array): Uint32Array {
  const words = new Uint32Array(wordsOf(signs.length));
  for (let index = 0; index < signs.length; index++) {
    if (signs[index] !== 0) words[index >>> 5]! |= 1 << (index & 31);
  }
  return words;
}

/**
 * The majority of each coordinate: 1, −1, or 0 where as many vote up as down. Only integers are added, so the order of
 * the ballots does not matter.
 */
export function majority(ballots: readonly Ballot[], count: number): Float32Array {
  const { up, down } = countVotes(ballots, count);
  const directions = new Float32Array(count);
  for (let word = 0; word < up.length; word++) {
    let more = up[word]! | 0;
    let fewer = down[word]! | 0;
    const end = Math.min(32 * word + 32, count);
    for (let index = 32 * word; index < end; index++) {
      directions[index] = (more & 1) - (fewer & 1);
      more >>= 1;
      fewer >>= 1;
    }
  }
  return directions;
}
