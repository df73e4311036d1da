import { type Ballot, countVotes, type VoteCount } from './count-votes.js';

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
 *
 * @param words receives them: `wordsOf(signs.length)` words.
 */
export function packSigns(
  signs: Float32Array,
  { step, rank }: ZeroRule,
  words: Uint32Array = new Uint32Array(wordsOf(signs.length)),
): Uint32Array {
  const zerosUp = (step + rank) % 2 === 0 ? 0x55555555 : 0xaaaaaaaa;
  // As integers, which need no conversion. A zero of either sign is 0 without its highest bit.
  const values = new Int32Array(signs.buffer, signs.byteOffset, signs.length);
  const whole = values.length >>> 5;
  for (let word = 0; word < whole; word++) {
    let negative = 0;
    let zero = 0;
    const end = 32 * word + 32;
    // Four at once, since each shift of the word waits for the one before it.
    for (let index = 32 * word; index < end; index += 4) {
      const a = values[index]!;
      const b = values[index + 1]!;
      const c = values[index + 2]!;
      const d = values[index + 3]!;
      negative =
        (negative >>> 4) |
        ((a >>> 3) & 0x10000000) |
        ((b >>> 2) & 0x20000000) |
        ((c >>> 1) & 0x40000000) |
        (d & 0x80000000);
      // No zero has this bit of the exponent, and 1 and −1 have it: one test for four, whose branch is rare.
      if ((a & b & c & d & 0x20000000) !== 0) continue;
      if (a << 1 === 0) zero |= 1 << index;
      if (b << 1 === 0) zero |= 2 << index;
      if (c << 1 === 0) zero |= 4 << index;
      if (d << 1 === 0) zero |= 8 << index;
    }
    words[word] = (~negative & ~zero) | (zero & zerosUp);
  }
  if (32 * whole === values.length) return words;
  let last = 0;
  for (let index = 32 * whole; index < values.length; index++) {
    const value = values[index]!;
    if (value << 1 === 0 ? (zerosUp >>> index) & 1 : value > 0) last |= 1 << index;
  }
  words[whole] = last;
  return words;
}

/** Packs which coordinates have a direction at all: 1 for a sign other than 0. */
export function packNonZeros(
  signs: Float32Array,
  words: Uint32Array = new Uint32Array(wordsOf(signs.length)),
): Uint32Array {
  words.fill(0);
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
  return unpackDirections(countVotes(ballots, count), 0, new Float32Array(count));
}

/**
 * The directions of a count: 1, −1 or 0.
 *
 * @param from first word of the count.
 * @param directions receives them, from the lowest bit of that word.
 */
export function unpackDirections({ up, down }: VoteCount, from: number, directions: Float32Array): Float32Array {
  const { buffer, byteOffset, length } = directions;
  const whole = length >>> 5;
  // Two directions are one number of 64 bits, none of which is a NaN, whose bits a copy might change.
  const isAligned = byteOffset % 8 === 0;
  const pairs = isAligned ? new Float64Array(buffer, byteOffset, 16 * whole) : new Float64Array(16 * whole);
  for (let word = 0, to = 0; word < whole; word++) {
    const more = up[from + word]!;
    const fewer = down[from + word]!;
    for (let bit = 0; bit < 32; bit += 4, to += 2) {
      const at = 2 * (16 * ((more >>> bit) & 15) + ((fewer >>> bit) & 15));
      pairs[to] = fourDirections[at]!;
      pairs[to + 1] = fourDirections[at + 1]!;
    }
  }
  if (!isAligned) directions.set(new Float32Array(pairs.buffer));
  for (let index = 32 * whole; index < length; index++) {
    const [more, fewer] = [up[from + whole]! >>> index, down[from + whole]! >>> index];
    directions[index] = (more & 1) - (fewer & 1);
  }
  return directions;
}

/** Directions of four coordinates, for four bits of votes up and four of votes down. */
const fourDirections = new Float64Array(2 * 256);
for (const [index] of new Float32Array(fourDirections.buffer).entries()) {
  const [votes, bit] = [index >>> 2, index & 3];
  new Float32Array(fourDirections.buffer)[index] = ((votes >>> (4 + bit)) & 1) - ((votes >>> bit) & 1);
}
