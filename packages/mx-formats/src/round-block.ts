import { type Grid, gridOffset } from './grid.js';
import type { Rounding } from './options.js';
import { inverseScales, nanScale, scaleValues } from './scale.js';

/** The same float32 values as numbers and as bits. */
export interface Words {
  readonly floats: Float32Array;
  readonly bits: Int32Array;
}

export function wordsOf(floats: Float32Array): Words {
  return { floats, bits: new Int32Array(floats.buffer, floats.byteOffset, floats.length) };
}

/**
 * The float32 bits of the largest magnitude in [start, end): exact, and ordered as the magnitudes are, NaN above all.
 */
export function largestMagnitude(bits: Int32Array, start: number, end: number): number {
  // No branch and four independent chains: the sign of a difference selects, since both sides are non-negative.
  let m0 = 0;
  let m1 = 0;
  let m2 = 0;
  let m3 = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    const d0 = m0 - (bits[i]! & 0x7fffffff);
    const d1 = m1 - (bits[i + 1]! & 0x7fffffff);
    const d2 = m2 - (bits[i + 2]! & 0x7fffffff);
    const d3 = m3 - (bits[i + 3]! & 0x7fffffff);
    m0 -= d0 & (d0 >> 31);
    m1 -= d1 & (d1 >> 31);
    m2 -= d2 & (d2 >> 31);
    m3 -= d3 & (d3 >> 31);
  }
  for (; i < end; i++) {
    const d = m0 - (bits[i]! & 0x7fffffff);
    m0 -= d & (d >> 31);
  }
  return Math.max(m0, m1, m2, m3);
}

/**
 * Rounds an exact magnitude to a multiple of its binade's quantum; saturation is left to the caller.
 *
 * @param magic 2^52 quanta (see `Grid`)
 * @param word the 32 random bits of stochastic rounding: away from zero when (word >>> 8)·2^-24 < the fraction of a
 *   quantum that lies beyond the truncated magnitude
 */
export function roundToGrid(exact: number, magic: number, quantum: number, rounding: Rounding, word: number): number {
  const nearest = exact + magic - magic;
  if (rounding === 'nearestEven') return nearest;
  const truncated = nearest > exact ? nearest - quantum : nearest;
  const beyond = exact - truncated;
  if (rounding === 'nearestAway') return beyond >= quantum / 2 ? truncated + quantum : truncated;
  if (rounding === 'towardZero') return truncated;
  return (word >>> 8) * 2 ** -24 * quantum < beyond ? truncated + quantum : truncated;
}

const scratch = wordsOf(new Float32Array(1));

/**
 * Index into the grid's tables for a float32 value. With a small scale byte (`tiny`) a subnormal may lie in a binade
 * that its exponent field does not show: times 2^64 the smallest subnormal is normal, and the largest value of so small
 * a block is finite.
 */
function gridIndex(value: number, word: number, byte: number, tiny: boolean): number {
  if (!tiny) return ((word >>> 23) & 255) + gridOffset - byte;
  scratch.floats[0] = value * 2 ** 64;
  return ((scratch.bits[0]! >>> 23) & 255) - 64 + gridOffset - byte;
}

/**
 * Rounds the elements [start, end), which share the scale 2^(byte − 127), to element values times the scale. Reading an
 * element before writing it, it may work in place.
 *
 * @param random the words of stochastic rounding, that of element `start` first
 */
export function roundBlock(
  grid: Grid,
  rounding: Rounding,
  byte: number,
  source: Words,
  target: Words,
  start: number,
  end: number,
  random: Int32Array,
): void {
  if (byte === nanScale) target.bits.fill(0x7fc00000, start, end);
  else if (rounding === 'nearestEven' && byte >= grid.tinyBelow)
    roundNearestEven(grid, byte, source, target, start, end);
  else roundAny(grid, rounding, byte, source, target, start, end, random);
}

const signedScale = new Float64Array(2);

function roundNearestEven(grid: Grid, byte: number, source: Words, target: Words, start: number, end: number): void {
  const { magic, largest, zero } = grid;
  const { floats, bits } = source;
  const out = target.floats;
  const inverse = inverseScales[byte]!;
  const offset = gridOffset - byte;
  signedScale[0] = scaleValues[byte]!;
  signedScale[1] = -scaleValues[byte]!;
  for (let i = start; i < end; i++) {
    const word = bits[i]!;
    const c = magic[((word >>> 23) & 255) + offset]!;
    let magnitude = Math.abs(floats[i]!) * inverse + c - c;
    if (magnitude > largest) magnitude = largest;
    out[i] = magnitude * signedScale[word >>> 31]! + zero;
  }
}

function roundAny(
  grid: Grid,
  rounding: Rounding,
  byte: number,
  source: Words,
  target: Words,
  start: number,
  end: number,
  random: Int32Array,
): void {
  const { magic, quanta, largest, zero } = grid;
  const { floats, bits } = source;
  const out = target.floats;
  const inverse = inverseScales[byte]!;
  const scale = scaleValues[byte]!;
  const tiny = byte < grid.tinyBelow;
  const stochastic = rounding === 'stochastic';
  for (let i = start; i < end; i++) {
    const word = bits[i]!;
    const exact = Math.abs(floats[i]!) * inverse;
    const index = gridIndex(floats[i]!, word, byte, tiny);
    let magnitude = roundToGrid(exact, magic[index]!, quanta[index]!, rounding, stochastic ? random[i - start]! : 0);
    if (magnitude > largest) magnitude = largest;
    out[i] = (word < 0 ? -magnitude : magnitude) * scale + zero;
  }
}

/**
 * Writes the codes of the elements [start, end), which share the scale 2^(byte − 127); a NaN scale gives zero codes.
 */
export function encodeBlock(
  grid: Grid,
  rounding: Rounding,
  byte: number,
  source: Words,
  codes: Uint8Array,
  start: number,
  end: number,
  random: Int32Array,
): void {
  if (byte === nanScale) {
    codes.fill(0, start, end);
    return;
  }
  const { magic, quanta, inverseQuanta, firstCodes, largestCode, element } = grid;
  const { floats, bits } = source;
  const inverse = inverseScales[byte]!;
  const tiny = byte < grid.tinyBelow;
  const stochastic = rounding === 'stochastic';
  const half = 1 << (element.bits - 1);
  const int = element.kind === 'int';
  for (let i = start; i < end; i++) {
    const word = bits[i]!;
    const exact = Math.abs(floats[i]!) * inverse;
    const index = gridIndex(floats[i]!, word, byte, tiny);
    const rounded = roundToGrid(exact, magic[index]!, quanta[index]!, rounding, stochastic ? random[i - start]! : 0);
    // An overflow of the scaled value counts as a large whole number here, so that it saturates like any other.
    const code = Math.min(firstCodes[index]! + rounded * inverseQuanta[index]!, largestCode);
    codes[i] = word >= 0 ? code : int ? -code & (2 * half - 1) : code | half;
  }
}
