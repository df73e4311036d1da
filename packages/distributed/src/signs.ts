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

/** One worker's packed votes. Without `cast`, every coordinate has a vote. */
export interface Ballot {
  readonly up: Uint32Array;
  readonly cast?: Uint32Array;
}

/**
 * The majority of each coordinate: 1, −1, or 0 where as many vote up as down. Only integers are added, so the order of
 * the ballots does not matter.
 *
 * Votes of 32 coordinates are counted at once: plane k holds bit k of their counters, and a ballot is added as in a
 * binary adder. It takes about two operations a word and ballot.
 */
export function majority(ballots: readonly Ballot[], count: number): Float32Array {
  const directions = new Float32Array(count);
  const depth = Math.max(1, Math.ceil(Math.log2(ballots.length + 1)));
  const ups = new Int32Array(depth);
  const downs = new Int32Array(depth);
  for (let word = 0; word < wordsOf(count); word++) {
    ups.fill(0);
    downs.fill(0);
    for (const { up, cast } of ballots) {
      const allowed = cast === undefined ? -1 : cast[word]!;
      addTo(ups, up[word]! & allowed);
      addTo(downs, ~up[word]! & allowed);
    }
    const more = exceeds(ups, downs);
    const fewer = exceeds(downs, ups);
    const end = Math.min(32, count - 32 * word);
    for (let bit = 0; bit < end; bit++) {
      directions[32 * word + bit] = ((more >>> bit) & 1) - ((fewer >>> bit) & 1);
    }
  }
  return directions;
}

/** Adds 32 one-bit numbers to 32 counters. */
function addTo(planes: Int32Array, bits: number): void {
  let carry = bits;
  for (let plane = 0; carry !== 0; plane++) {
    const before = planes[plane]!;
    planes[plane] = before ^ carry;
    carry &= before;
  }
}

/** A bit for each of 32 counters: whether a's is above b's. */
function exceeds(a: Int32Array, b: Int32Array): number {
  let above = 0;
  let undecided = -1;
  for (let plane = a.length - 1; plane >= 0; plane--) {
    const [x, y] = [a[plane]!, b[plane]!];
    above |= undecided & x & ~y;
    undecided &= ~(x ^ y);
  }
  return above;
}
