import { LmdError } from '../errors.js';

/** 2^-e for e in 0 … 24. */
const powers = Float64Array.from({ length: 25 }, (_, e) => 2 ** -e);
const turn = 2 * Math.PI * 2 ** -24;

/**
 * Box–Muller, the definition that every backend follows. Words come in pairs, (x0, x1) and (x2, x3) of a counter block:
 *
 *     u1 = ((x0 >>> 8) + 1) · 2^-24   in (0, 1]         r  = √(−2 ln u1)
 *     u2 = (x1 >>> 8) · 2^-24         in [0, 1)         n0 = r · cos 2π u2,   n1 = r · sin 2π u2
 *
 * So |n| ≤ √(48 ln 2) ≈ 5.77. Gives one normal a word, to a few ulp of float64. The words must be whole pairs.
 */
export function normalsFromBits(bits: Int32Array | Uint32Array): Float64Array {
  if (bits.length % 2 !== 0) {
    throw new LmdError('INVALID_ARGUMENT', `normalsFromBits: got ${bits.length} words; they come in pairs.`, {
      subject: 'bits',
      value: bits.length,
      remedy: 'Pass an even number of words.',
    });
  }
  const normals = new Float64Array(bits.length);
  writeNormals(bits, normals, 0, bits.length);
  return normals;
}

/**
 * Writes `count` normals from `bits` at `out[start]` on; with an odd count the last pair's second normal is dropped.
 * The logarithm, sine and cosine are polynomials over the 2^24 arguments that occur, without branches: twice as fast as
 * `Math`'s, and the angle is reduced to an eighth of a turn in integers, so the result is exact also near the zeros.
 */
export function writeNormals(
  bits: Int32Array | Uint32Array,
  out: Float32Array | Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i += 2) {
    // ln u1 = (e − 24) ln 2 + ln m with m in [√½, √2), and ln m = 2 artanh((m − 1) / (m + 1)).
    const k = (bits[i]! >>> 8) + 1;
    const e = 31 - Math.clz32((k * Math.SQRT2) | 0);
    const m = k * powers[e]!;
    const f = (m - 1) / (m + 1);
    const r = Math.sqrt(-2 * ((e - 24) * Math.LN2 + f * inverseTanhSeries(f * f)));
    // 2π u2 = q quarter turns and an angle a of at most an eighth of a turn either way.
    const t = bits[i + 1]! >>> 8;
    const q = (t + 0x20_0000) >> 22;
    const a = (t - (q << 22)) * turn;
    const sine = a * sineSeries(a * a);
    const cosine = cosineSeries(a * a);
    const half = 1 - (q & 2);
    const quarterCosine = (1 - (q & 1)) * half;
    const quarterSine = (q & 1) * half;
    out[start + i] = r * (cosine * quarterCosine - sine * quarterSine);
    if (i + 1 < count) out[start + i + 1] = r * (sine * quarterCosine + cosine * quarterSine);
  }
}

/** 2 artanh(f) / f for f² = z ≤ 0.0295, truncated below 2^-53. */
function inverseTanhSeries(z: number): number {
  const tail = 2 / 11 + z * (2 / 13 + z * (2 / 15 + z * (2 / 17 + z * (2 / 19))));
  return 2 + z * (2 / 3 + z * (2 / 5 + z * (2 / 7 + z * (2 / 9 + z * tail))));
}

/** sin(a) / a for a² = z ≤ (π/4)². */
function sineSeries(z: number): number {
  const tail = 1 / 362880 + z * (-1 / 39916800 + z * (1 / 6227020800 + z * (-1 / 1307674368000)));
  return 1 + z * (-1 / 6 + z * (1 / 120 + z * (-1 / 5040 + z * tail)));
}

/** cos(a) for a² = z ≤ (π/4)². */
function cosineSeries(z: number): number {
  const tail = -1 / 3628800 + z * (1 / 479001600 + z * (-1 / 87178291200 + z * (1 / 20922789888000)));
  return 1 + z * (-1 / 2 + z * (1 / 24 + z * (-1 / 720 + z * (1 / 40320 + z * tail))));
}
