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

/** The float32 bits of the largest magnitude in [start, end): exact, and ordered as the magnitudes are, NaN above all. */
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

const signedScale = new Float64Array(2);
const scratch = wordsOf(new Float32Array(1));

/**
 * Rounds the elements [start, end), which share a scale, to the nearest multiples of the scale times an element value. Reading an
 * element before writing it, it may work in place.
 *
 * @param random the words of stochastic rounding, that of element `start` first
 */
export function roundBlock(
  grid: Grid,
  rounding: Rounding,
  byte: number,
  values: Words,
  out: Words,
  start: number,
  end: number,
  random: Int32Array,
): void {
  if (byte === nanScale) out.bits.fill(0x7fc00000, start, end);
  else if (rounding === 'nearestEven' && byte >= grid.tinyBelow) {
    roundNearestEven(grid, byte, values, out, start, end);
  } else roundAny(grid, rounding, byte, values, out, start, end, random);
}

function roundNearestEven(grid: Grid, byte: number, values: Words, out: Words, start: number, end: number): void {
  const { magic, largest, zero } = grid;
  const { floats, bits } = values;
  const target = out.floats;
  const inverse = inverseScales[byte]!;
  const offset = gridOffset - byte;
  signedScale[0] = scaleValues[byte]!;
  signedScale[1] = -scaleValues[byte]!;
  for (let i = start; i < end; i++) {
    const word = bits[i]!;
    const c = magic[((word >>> 23) & 255) + offset]!;
    let magnitude = Math.abs(floats[i]!) * inverse + c - c;
    if (magnitude > largest) magnitude = largest;
    target[i] = magnitude * signedScale[word >>> 31]! + zero;
  }
}

function roundAny(
  grid: Grid,
  rounding: Rounding,
  byte: number,
  values: Words,
  out: Words,
  start: number,
  end: number,
  random: Int32Array,
): void {
  const { magic, quanta, largest, zero } = grid;
  const { floats, bits } = values;
  const inverse = inverseScales[byte]!;
  const scale = scaleValues[byte]!;
  const tiny = byte < grid.tinyBelow;
  for (let i = start; i < end; i++) {
    const word = bits[i]!;
    let exponent = (word >>> 23) & 255;
    if (tiny) {
      // Times 2^64 the smallest subnormal is normal, and the largest value of so small a block is finite.
      scratch.floats[0] = floats[i]! * 2 ** 64;
      exponent = ((scratch.bits[0]! >>> 23) & 255) - 64;
    }
    const index = exponent + gridOffset - byte;
    const c = magic[index]!;
    const exact = Math.abs(floats[i]!) * inverse;
    let magnitude = exact + c - c;
    if (rounding !== 'nearestEven') {
      const quantum = quanta[index]!;
      if (magnitude > exact) magnitude -= quantum;
      const beyond = exact - magnitude;
      if (rounding === 'nearestAway') {
        if (beyond >= quantum / 2) magnitude += quantum;
      } else if (rounding === 'stochastic') {
        if ((random[i - start]! >>> 8) * 2 ** -24 * quantum < beyond) magnitude += quantum;
      }
    }
    if (magnitude > largest) magnitude = largest;
    out.floats[i] = (word < 0 ? -magnitude : magnitude) * scale + zero;
  }
}
