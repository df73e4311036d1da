// Blocks of consecutive elements, four at once. Sources and targets are apart, and each has spare bytes at its end: the
// last vector of a block may reach beyond it, and what it writes there is written again by the next block.

import { encodeFour, isPlain, roundFour, roundFourOf32 } from './run';
import { fourBytes, prepareFour } from './scales';
import { blockSize, magnitudeWord } from './settings';
import { encodeSingle, roundSingle } from './single';
import { firstLanes, largestLane, largestLanes } from './vector';
import { COUNTS, LANES, STARTS } from './workspace';

/** The largest magnitudes of a block, lane by lane. */
function largestOfBlock(source: usize, count: i32): v128 {
  const mask = i32x4.splat(magnitudeWord);
  let m0 = i32x4.splat(0);
  let m1 = i32x4.splat(0);
  let left = count;
  for (; left >= 8; left -= 8, source += 32) {
    m0 = i32x4.max_s(m0, v128.and(v128.load(source), mask));
    m1 = i32x4.max_s(m1, v128.and(v128.load(source, 16), mask));
  }
  for (; left > 0; left -= 4, source += 16) {
    m0 = i32x4.max_s(m0, v128.and(v128.and(v128.load(source), mask), firstLanes(left)));
  }
  return i32x4.max_s(m0, m1);
}

/** The largest finite magnitude of many values, as float32 bits. */
export function largestFinite(source: usize, count: i32): i32 {
  const mask = i32x4.splat(magnitudeWord);
  const limit = i32x4.splat(0x7f7fffff);
  let m0 = i32x4.splat(0);
  let m1 = i32x4.splat(0);
  let left = count;
  for (; left >= 8; left -= 8, source += 32) {
    const a = v128.and(v128.load(source), mask);
    const b = v128.and(v128.load(source, 16), mask);
    m0 = i32x4.max_s(m0, v128.andnot(a, i32x4.gt_s(a, limit)));
    m1 = i32x4.max_s(m1, v128.andnot(b, i32x4.gt_s(b, limit)));
  }
  for (; left > 0; left -= 4, source += 16) {
    const a = v128.and(v128.and(v128.load(source), mask), firstLanes(left));
    m0 = i32x4.max_s(m0, v128.andnot(a, i32x4.gt_s(a, limit)));
  }
  return largestLane(i32x4.max_s(m0, m1));
}

/** The element after the blocks at hand, and how many are left of its row. */
export let position: i32 = 0;
let room: i32 = 0;

export function begin(length: i32): void {
  position = 0;
  room = length;
}

/** Moves on by whole blocks of rows without others. */
export function skipWhole(count: i32, length: i32): void {
  position += count;
  room = length - (position % length);
}

/** Moves on to the next four blocks, the last of which may be empty, and gives their largest magnitudes. */
export function nextFour(source: usize, total: i32, length: i32): v128 {
  let largest0 = i32x4.splat(0);
  let largest1 = largest0;
  let largest2 = largest0;
  let largest3 = largest0;
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const count = position < total ? min(blockSize, room) : 0;
    store<i32>(STARTS + lane, position);
    store<i32>(COUNTS + lane, count);
    largest0 = largest1;
    largest1 = largest2;
    largest2 = largest3;
    largest3 = largestOfBlock(source + ((<usize>position) << 2), count);
    position += count;
    room -= count;
    if (room == 0) room = length;
  }
  return largestLanes(largest0, largest1, largest2, largest3);
}

/** One of four lanes in all of them. */
export function spread(lanes: v128, lane: usize): v128 {
  v128.store(LANES, lanes);
  return v128.load32_splat(LANES + lane);
}

/** Leaves one block of the four. */
function only(start: i32, count: i32): void {
  v128.store(STARTS, i32x4.splat(start));
  v128.store(COUNTS, i32x4.replace_lane(i32x4.splat(0), 0, count));
}

/** The four blocks one by one: of them, not all are fit for the vector kernels. */
function roundEach(source: usize, target: usize, words: usize, maxima: v128): void {
  const starts = v128.load(STARTS);
  const counts = v128.load(COUNTS);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const start = i32x4.extract_lane(spread(starts, lane), 0);
    const count = i32x4.extract_lane(spread(counts, lane), 0);
    const at = (<usize>start) << 2;
    if (prepareFour(spread(maxima, lane))) {
      only(start, count);
      roundFour(source, target, words);
    } else roundSingle(source + at, target + at, words + at, count, 4);
  }
}

/** Rounds `rows` rows of `length` elements. `words` holds the random words, where rounding is stochastic. */
export function roundRows(source: usize, target: usize, words: usize, rows: i32, length: i32): void {
  roundBlocksUntil(source, target, words, rows * length, length);
}

/** Rounds the first `total` elements of rows of `length`: whole blocks. */
export function roundBlocksUntil(source: usize, target: usize, words: usize, total: i32, length: i32): void {
  begin(length);
  if (blockSize == 32 && (length & 31) == 0 && isPlain()) roundUsual(source, target, words, total);
  while (position < total) {
    const maxima = nextFour(source, total, length);
    if (prepareFour(maxima)) roundFour(source, target, words);
    else roundEach(source, target, words, maxima);
  }
}

/**
 * Four blocks of 32 at a time, nothing before or after them in their rows, as long as the vector kernels are exact for
 * all four.
 */
function roundUsual(source: usize, target: usize, words: usize, total: i32): void {
  for (; position + 128 <= total; position += 128) {
    const from = source + ((<usize>position) << 2);
    const maxima = largestLanes(
      largestOf32(from),
      largestOf32(from + 128),
      largestOf32(from + 256),
      largestOf32(from + 384),
    );
    if (prepareFour(maxima)) roundFourOf32(from, target + ((<usize>position) << 2));
    else {
      v128.store(STARTS, i32x4.add(i32x4.splat(position), i32x4(0, 32, 64, 96)));
      v128.store(COUNTS, i32x4.splat(32));
      roundEach(source, target, words, maxima);
    }
  }
}

/** `largestOfBlock` of 32. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
export function largestOf32(source: usize): v128 {
  const mask = i32x4.splat(magnitudeWord);
  const m0 = i32x4.max_s(v128.and(v128.load(source), mask), v128.and(v128.load(source, 16), mask));
  const m1 = i32x4.max_s(v128.and(v128.load(source, 32), mask), v128.and(v128.load(source, 48), mask));
  const m2 = i32x4.max_s(v128.and(v128.load(source, 64), mask), v128.and(v128.load(source, 80), mask));
  const m3 = i32x4.max_s(v128.and(v128.load(source, 96), mask), v128.and(v128.load(source, 112), mask));
  return i32x4.max_s(i32x4.max_s(m0, m1), i32x4.max_s(m2, m3));
}

function encodeEach(source: usize, codes: usize, scales: usize, words: usize, maxima: v128): void {
  const starts = v128.load(STARTS);
  const counts = v128.load(COUNTS);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const start = i32x4.extract_lane(spread(starts, lane), 0);
    const count = i32x4.extract_lane(spread(counts, lane), 0);
    const at = (<usize>start) << 2;
    let byte = 0;
    if (prepareFour(spread(maxima, lane))) {
      byte = fourBytes();
      only(start, count);
      encodeFour(source, codes, words);
    } else byte = encodeSingle(source + at, codes + start, words + at, count, 4);
    store<u8>(scales + (lane >> 2), <u8>byte);
  }
}

/** Encodes `rows` rows of `length` elements into a byte a code, and a scale byte a block. */
export function encodeRows(source: usize, codes: usize, scales: usize, words: usize, rows: i32, length: i32): void {
  const total = rows * length;
  begin(length);
  for (let scale = scales; position < total; scale += 4) {
    const maxima = nextFour(source, total, length);
    if (prepareFour(maxima)) {
      store<i32>(scale, fourBytes());
      encodeFour(source, codes, words);
    } else encodeEach(source, codes, scale, words, maxima);
  }
}
