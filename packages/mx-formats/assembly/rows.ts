// Blocks of consecutive elements, four at once. Sources and targets are apart, and each has spare bytes at its end: the last vector
// of a block may reach beyond it, and what it writes there is written again by the next block.

import { encodeRun, roundRun } from './run';
import { after, before, fourBytes, limits, prepareFour, spread, thresholds } from './scales';
import { blockSize, magnitudeWord } from './settings';
import { encodeSingle, roundSingle } from './single';
import { firstLanes, largestLane, largestLanes } from './vector';

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

// Up to four blocks in a row: where each starts and how many elements it has, none where there are no more.
let start0: i32 = 0;
let start1: i32 = 0;
let start2: i32 = 0;
let start3: i32 = 0;
let count0: i32 = 0;
let count1: i32 = 0;
let count2: i32 = 0;
let count3: i32 = 0;
/** The element after them, and how many are left of its row. */
let position: i32 = 0;
let room: i32 = 0;

// @ts-ignore: decorators are AssemblyScript's
@inline
function nextBlock(total: i32, length: i32): i32 {
  const count = position < total ? min(blockSize, room) : 0;
  position += count;
  room -= count;
  if (room == 0) room = length;
  return count;
}

/** Moves on to the next four blocks, and gives their largest magnitudes. */
function nextFour(source: usize, total: i32, length: i32): v128 {
  start0 = position;
  count0 = nextBlock(total, length);
  start1 = position;
  count1 = nextBlock(total, length);
  start2 = position;
  count2 = nextBlock(total, length);
  start3 = position;
  count3 = nextBlock(total, length);
  return largestLanes(
    largestOfBlock(source + (<usize>start0 << 2), count0),
    largestOfBlock(source + (<usize>start1 << 2), count1),
    largestOfBlock(source + (<usize>start2 << 2), count2),
    largestOfBlock(source + (<usize>start3 << 2), count3),
  );
}

function begin(length: i32): void {
  position = 0;
  room = length;
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function roundBlock(source: usize, target: usize, words: usize, start: i32, count: i32, lane: i32): void {
  const at = <usize>start << 2;
  roundRun(
    source + at,
    target + at,
    words + at,
    (count + 3) >> 2,
    16,
    spread(thresholds, lane),
    spread(limits, lane),
    spread(before, lane),
    spread(after, lane),
  );
}

/** A block of a group of which not all are fit for the vector kernels: this one may be. */
function roundAlone(source: usize, target: usize, words: usize, start: i32, count: i32, maximum: v128): void {
  const at = <usize>start << 2;
  if (prepareFour(maximum)) roundBlock(source, target, words, start, count, 0);
  else roundSingle(source + at, target + at, words + at, count, 4);
}

/** Rounds `rows` rows of `length` elements. `words` holds the random words, where rounding is stochastic. */
export function roundRows(source: usize, target: usize, words: usize, rows: i32, length: i32): void {
  const total = rows * length;
  begin(length);
  while (position < total) {
    const maxima = nextFour(source, total, length);
    if (prepareFour(maxima)) {
      roundBlock(source, target, words, start0, count0, 0);
      roundBlock(source, target, words, start1, count1, 1);
      roundBlock(source, target, words, start2, count2, 2);
      roundBlock(source, target, words, start3, count3, 3);
    } else {
      roundAlone(source, target, words, start0, count0, spread(maxima, 0));
      roundAlone(source, target, words, start1, count1, spread(maxima, 1));
      roundAlone(source, target, words, start2, count2, spread(maxima, 2));
      roundAlone(source, target, words, start3, count3, spread(maxima, 3));
    }
  }
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function encodeBlock(source: usize, codes: usize, words: usize, start: i32, count: i32, lane: i32): void {
  const at = <usize>start << 2;
  encodeRun(
    source + at,
    codes + start,
    words + at,
    (count + 3) >> 2,
    16,
    spread(thresholds, lane),
    spread(limits, lane),
    spread(before, lane),
  );
}

function encodeAlone(
  source: usize,
  codes: usize,
  scale: usize,
  words: usize,
  start: i32,
  count: i32,
  maximum: v128,
): void {
  const at = <usize>start << 2;
  if (prepareFour(maximum)) {
    encodeBlock(source, codes, words, start, count, 0);
    store<u8>(scale, <u8>fourBytes());
  } else store<u8>(scale, <u8>encodeSingle(source + at, codes + start, words + at, count, 4));
}

/** Encodes `rows` rows of `length` elements into a byte a code, and a scale byte a block. */
export function encodeRows(source: usize, codes: usize, scales: usize, words: usize, rows: i32, length: i32): void {
  const total = rows * length;
  begin(length);
  for (let scale = scales; position < total; scale += 4) {
    const maxima = nextFour(source, total, length);
    if (prepareFour(maxima)) {
      store<i32>(scale, fourBytes());
      encodeBlock(source, codes, words, start0, count0, 0);
      encodeBlock(source, codes, words, start1, count1, 1);
      encodeBlock(source, codes, words, start2, count2, 2);
      encodeBlock(source, codes, words, start3, count3, 3);
    } else {
      encodeAlone(source, codes, scale, words, start0, count0, spread(maxima, 0));
      encodeAlone(source, codes, scale + 1, words, start1, count1, spread(maxima, 1));
      encodeAlone(source, codes, scale + 2, words, start2, count2, spread(maxima, 2));
      encodeAlone(source, codes, scale + 3, words, start3, count3, spread(maxima, 3));
    }
  }
}
