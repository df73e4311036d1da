// Rows of blocks as integers, each an element divided by its format's smallest one: the operands of exact products,
// where they lie in a host's memory. A row takes a multiple of 16 integers, with zeros after its last block.

import { encodeElement } from './element';
import { configureFrom } from './in-memory';
import { begin, largestOf32, nextFour, position, skipWhole, spread } from './rows';
import { e4m3Value, factorBefore, fourBytes, prepareFour, scaleByte } from './scales';
import {
  bits,
  blockSize,
  e4m3Scales,
  emin,
  exponentWord,
  INFINITY_BITS,
  magnitudeWord,
  NAN_E4M3,
  NEAREST_AWAY,
  NEAREST_EVEN,
  QUIET_NAN,
  rounding,
  STOCHASTIC,
  significantBits,
  TOWARD_ZERO,
  twosComplement,
} from './settings';
import { largestLanes, roundVector } from './vector';
import { BEFORE, BYTES, COUNTS, LIMITS, STARTS, TAIL, THRESHOLDS } from './workspace';

/** 1.5·2^23: added to an integer as float32, it leaves the integer in the lower bits. */
const INTEGER_MAGIC: f32 = 12582912;
const INTEGER_MAGIC_BITS: i32 = 0x4b400000;

/** Exponent of the smallest element: the unit of the integers. For `int`, `emin` is the exponent of the largest. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function unitExponent(): i32 {
  return emin - significantBits;
}

/** The integer of a code. */
function integerOf(code: i32): i32 {
  if (twosComplement) return (code << (32 - bits)) >> (32 - bits);
  const magnitude = code & ((1 << (bits - 1)) - 1);
  const exponent = magnitude >> significantBits;
  const mantissa = magnitude & ((1 << significantBits) - 1);
  const integer = exponent == 0 ? mantissa : (mantissa | (1 << significantBits)) << (exponent - 1);
  return code == magnitude ? integer : -integer;
}

// @ts-expect-error: decorators are AssemblyScript's
@inline
function storeInteger(codes: usize, index: i32, integer: i32, wide: bool): void {
  if (wide) store<i16>(codes + ((<usize>index) << 1), <i16>integer);
  else store<i8>(codes + index, <i8>integer);
}

/** A block on its own, element by element: what the vectors leave out. */
function encodeOne(source: usize, codes: usize, words: usize, count: i32, byte: i32, wide: bool): void {
  const before = factorBefore(byte);
  for (let i = 0; i < count; i++) {
    const at = (<usize>i) << 2;
    const random = rounding == STOCHASTIC ? load<i32>(words + at) : 0;
    const code = e4m3Scales
      ? encodeElement(reinterpret<i32>(load<f32>(source + at) * before), 127, random)
      : encodeElement(load<i32>(source + at), byte, random);
    storeInteger(codes, i, integerOf(code), wide);
  }
}

function fillZeros(codes: usize, count: i32, wide: bool): void {
  memory.fill(codes, 0, <usize>(wide ? 2 * count : count));
}

/** Four integers, one a 32-bit lane. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function integersOf(
  how: i32,
  scaled: bool,
  source: usize,
  words: usize,
  before: v128,
  threshold: v128,
  limit: v128,
  shift: v128,
  factor: v128,
  magnitudeMask: v128,
  exponentMask: v128,
): v128 {
  let values = v128.load(source);
  const random = how == STOCHASTIC ? v128.load(words) : values;
  if (scaled) values = f32x4.mul(values, before);
  const rounded = roundVector(how, values, threshold, limit, shift, magnitudeMask, exponentMask, random);
  const sum = f32x4.add(f32x4.mul(rounded, factor), f32x4.splat(INTEGER_MAGIC));
  return i32x4.sub(sum, i32x4.splat(INTEGER_MAGIC_BITS));
}

// @ts-expect-error: decorators are AssemblyScript's
@inline
function encodeLoop(
  how: i32,
  scaled: bool,
  wide: bool,
  source: usize,
  codes: usize,
  words: usize,
  count: i32,
  lane: usize,
  factor: v128,
): void {
  const threshold = v128.load32_splat(THRESHOLDS + lane);
  const limit = v128.load32_splat(LIMITS + lane);
  const before = v128.load32_splat(BEFORE + lane);
  const shift = i32x4.splat((23 - significantBits) << 23);
  const large = i32x4.splat(magnitudeWord);
  const exponents = i32x4.splat(exponentWord);
  let left = count;
  for (; left >= 16; left -= 16, source += 64, words += 64) {
    const c0 = integersOf(how, scaled, source, words, before, threshold, limit, shift, factor, large, exponents);
    const c1 = integersOf(
      how,
      scaled,
      source + 16,
      words + 16,
      before,
      threshold,
      limit,
      shift,
      factor,
      large,
      exponents,
    );
    const c2 = integersOf(
      how,
      scaled,
      source + 32,
      words + 32,
      before,
      threshold,
      limit,
      shift,
      factor,
      large,
      exponents,
    );
    const c3 = integersOf(
      how,
      scaled,
      source + 48,
      words + 48,
      before,
      threshold,
      limit,
      shift,
      factor,
      large,
      exponents,
    );
    const low = i16x8.narrow_i32x4_s(c0, c1);
    const high = i16x8.narrow_i32x4_s(c2, c3);
    if (wide) {
      v128.store(codes, low);
      v128.store(codes, high, 16);
      codes += 32;
    } else {
      v128.store(codes, i8x16.narrow_i16x8_s(low, high));
      codes += 16;
    }
  }
  // Vectors of a short rest reach beyond it: into the source's spare bytes, but not into the next row's integers.
  for (let i = 0; i < left; i += 4, source += 16, words += 16) {
    v128.store(TAIL, integersOf(how, scaled, source, words, before, threshold, limit, shift, factor, large, exponents));
    const end = min(4, left - i);
    for (let j = 0; j < end; j++) storeInteger(codes, i + j, load<i32>(TAIL + ((<usize>j) << 2)), wide);
  }
}

/** By vectors: the block in lane `lane` of `prepareFour`. */
function encodeVectors(
  source: usize,
  codes: usize,
  words: usize,
  count: i32,
  lane: usize,
  byte: i32,
  wide: bool,
): void {
  const exponent = e4m3Scales ? -unitExponent() : 127 - byte - unitExponent();
  const factor = f32x4.splat(reinterpret<f32>((exponent + 127) << 23));
  if (rounding == NEAREST_EVEN) {
    if (e4m3Scales) encodeLoop(NEAREST_EVEN, true, wide, source, codes, words, count, lane, factor);
    else if (wide) encodeLoop(NEAREST_EVEN, false, true, source, codes, words, count, lane, factor);
    else encodeLoop(NEAREST_EVEN, false, false, source, codes, words, count, lane, factor);
  } else if (rounding == NEAREST_AWAY) encodeLoop(NEAREST_AWAY, true, wide, source, codes, words, count, lane, factor);
  else if (rounding == TOWARD_ZERO) encodeLoop(TOWARD_ZERO, true, wide, source, codes, words, count, lane, factor);
  else encodeLoop(STOCHASTIC, true, wide, source, codes, words, count, lane, factor);
}

// @ts-expect-error: decorators are AssemblyScript's
@inline
function storeScale(scales: usize, block: i32, byte: i32): void {
  if (!e4m3Scales) store<u8>(scales + block, <u8>byte);
  else if (byte == NAN_E4M3) store<i32>(scales + ((<usize>block) << 2), QUIET_NAN);
  else store<f32>(scales + ((<usize>block) << 2), e4m3Value(byte));
}

/** Sixteen integers of a block whose figures are spread over vectors, to nearest, under E8M0 scales. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function encodeSixteen(
  wide: bool,
  source: usize,
  codes: usize,
  threshold: v128,
  limit: v128,
  factor: v128,
  shift: v128,
  magnitudes: v128,
  exponents: v128,
): void {
  const c0 = integersOf(NEAREST_EVEN, false, source, 0, factor, threshold, limit, shift, factor, magnitudes, exponents);
  const c1 = integersOf(
    NEAREST_EVEN,
    false,
    source + 16,
    0,
    factor,
    threshold,
    limit,
    shift,
    factor,
    magnitudes,
    exponents,
  );
  const c2 = integersOf(
    NEAREST_EVEN,
    false,
    source + 32,
    0,
    factor,
    threshold,
    limit,
    shift,
    factor,
    magnitudes,
    exponents,
  );
  const c3 = integersOf(
    NEAREST_EVEN,
    false,
    source + 48,
    0,
    factor,
    threshold,
    limit,
    shift,
    factor,
    magnitudes,
    exponents,
  );
  const low = i16x8.narrow_i32x4_s(c0, c1);
  const high = i16x8.narrow_i32x4_s(c2, c3);
  if (wide) {
    v128.store(codes, low);
    v128.store(codes, high, 16);
  } else v128.store(codes, i8x16.narrow_i16x8_s(low, high));
}

// @ts-expect-error: decorators are AssemblyScript's
@inline
function encodeFourOf32(wide: bool, source: usize, codes: usize, factors: v128): void {
  const shift = i32x4.splat((23 - significantBits) << 23);
  const magnitudes = i32x4.splat(magnitudeWord);
  const exponents = i32x4.splat(exponentWord);
  const step: usize = wide ? 32 : 16;
  v128.store(TAIL, factors);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const threshold = v128.load32_splat(THRESHOLDS + lane);
    const limit = v128.load32_splat(LIMITS + lane);
    const factor = v128.load32_splat(TAIL + lane);
    encodeSixteen(wide, source, codes, threshold, limit, factor, shift, magnitudes, exponents);
    encodeSixteen(wide, source + 64, codes + step, threshold, limit, factor, shift, magnitudes, exponents);
    source += 128;
    codes += 2 * step;
  }
}

/**
 * Four whole blocks of 32 at `source`, whose codes are as close as they are; false, with nothing done, where the vector
 * kernels are not exact for all of them.
 */
function encodeTogether(source: usize, codes: usize, scales: usize, wide: bool, lowest: v128): bool {
  const maxima = largestLanes(
    largestOf32(source),
    largestOf32(source + 128),
    largestOf32(source + 256),
    largestOf32(source + 384),
  );
  if (!prepareFour(maxima)) return false;
  const thresholds = v128.load(THRESHOLDS);
  if (v128.any_true(i32x4.lt_s(thresholds, lowest))) return false;
  // Where a block is all zeros, its byte is 0, and its threshold that of another scale.
  const factors = i32x4.sub(i32x4.splat((254 - unitExponent() + emin) << 23), thresholds);
  store<i32>(scales, fourBytes());
  if (wide) encodeFourOf32(true, source, codes, factors);
  else encodeFourOf32(false, source, codes, factors);
  return true;
}

/**
 * Encodes the rows `from` to `to` of `length` elements in `blocks` blocks each, by the settings of `planInMemory` for
 * blocks along the rows: as integers, each an element divided by the smallest one of its format, of 1 byte or of 2
 * where `wide`. A row takes a multiple of 16 integers, with zeros at its end. `scales` gets what a block has: a byte
 * (E8M0), or the f32 that its byte stands for (E4M3). It writes nothing beyond those rows.
 */
export function encodeIntegersInMemory(
  from: i32,
  to: i32,
  settings: usize,
  source: usize,
  codes: usize,
  scales: usize,
  words: usize,
  length: i32,
  blocks: i32,
  wide: bool,
): void {
  configureFrom(settings);
  const padded = (length + 15) & ~15;
  const rowBytes = <usize>(wide ? 2 * padded : padded);
  const byteShift = wide ? 1 : 0;
  const first = <usize>from * ((<usize>length) << 2);
  source += first;
  words += first;
  codes += <usize>from * rowBytes;
  let block = from * blocks;
  const total = (to - from) * length;
  // Below this byte, what makes a value an integer would overflow.
  const lowest = e4m3Scales ? 0 : -unitExponent();
  let row = 0;
  let column = 0;
  begin(length);
  const usual = blockSize == 32 && (length & 31) == 0 && rounding == NEAREST_EVEN && !e4m3Scales;
  const lowestThreshold = i32x4.splat((lowest + emin) << 23);
  while (position < total) {
    if (usual && position + 128 <= total) {
      const target = codes + ((<usize>position) << byteShift);
      if (encodeTogether(source + ((<usize>position) << 2), target, scales + block, wide, lowestThreshold)) {
        skipWhole(128, length);
        block += 4;
        column += 128;
        row += column / length;
        column %= length;
        continue;
      }
    }
    const maxima = nextFour(source, total, length);
    const starts = v128.load(STARTS);
    const counts = v128.load(COUNTS);
    const together = prepareFour(maxima);
    for (let lane: usize = 0; lane < 16; lane += 4) {
      const count = i32x4.extract_lane(spread(counts, lane), 0);
      if (count == 0) break;
      const start = i32x4.extract_lane(spread(starts, lane), 0);
      const maximum = i32x4.extract_lane(spread(maxima, lane), 0);
      const at = (<usize>start) << 2;
      const target = codes + <usize>row * rowBytes + ((<usize>column) << byteShift);
      let byte = 0;
      if (maximum == 0 || maximum >= INFINITY_BITS) {
        byte = scaleByte(maximum);
        fillZeros(target, count, wide);
      } else if (together || prepareFour(spread(maxima, lane))) {
        const own: usize = together ? lane : 0;
        byte = load<i32>(BYTES + own);
        if (byte >= lowest) encodeVectors(source + at, target, words + at, count, own, byte, wide);
        else encodeOne(source + at, target, words + at, count, byte, wide);
      } else {
        byte = scaleByte(maximum);
        encodeOne(source + at, target, words + at, count, byte, wide);
      }
      storeScale(scales, block++, byte);
      column += count;
      if (column == length) {
        fillZeros(target + ((<usize>count) << byteShift), padded - length, wide);
        column = 0;
        row++;
      }
    }
  }
}
