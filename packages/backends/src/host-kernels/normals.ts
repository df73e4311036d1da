import { fillRandomBits, type RandomKey } from '@lmd/core';

const logTwo = Math.LN2;
const quarterTurn = 2 ** 22;
const radiansPerStep = (2 * Math.PI) / 2 ** 24;

/**
 * −ln(m·2^-24) for an integer m in [1, 2^24], relative error below 1e-10: the exponent from the leading bit, the rest by the
 * series of 2·artanh. Exactly 0 at m = 2^24.
 */
function negativeLog(m: number): number {
  let exponent = 31 - Math.clz32(m);
  let fraction = m / (1 << exponent);
  if (fraction > Math.SQRT2) {
    fraction *= 0.5;
    exponent++;
  }
  const s = (fraction - 1) / (fraction + 1);
  const q = s * s;
  const log = 2 * s * (1 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13)))))));
  return (24 - exponent) * logTwo - log;
}

/** sin r for |r| ≤ π/4, relative error below 1e-11. */
function shortSine(r: number): number {
  const q = r * r;
  return r * (1 - q * (1 / 6 - q * (1 / 120 - q * (1 / 5040 - q * (1 / 362880 - q * (1 / 39916800))))));
}

/** cos r for |r| ≤ π/4, relative error below 1e-11. */
function shortCosine(r: number): number {
  const q = r * r;
  return 1 - q * (1 / 2 - q * (1 / 24 - q * (1 / 720 - q * (1 / 40320 - q * (1 / 3628800 - q * (1 / 479001600))))));
}

/**
 * Box–Muller as core's `normalsFromBits` defines it, on whole pairs of words, in place of the library's logarithm, sine and
 * cosine: several times as fast, and the same float32 but for a rare last bit.
 */
export function boxMuller(bits: Int32Array, out: Float32Array | Float64Array, count: number): void {
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(2 * negativeLog((bits[i]! >>> 8) + 1));
    const turn = bits[i + 1]! >>> 8;
    const quadrant = (turn + quarterTurn / 2) >> 22;
    const r = (turn - quadrant * quarterTurn) * radiansPerStep;
    const sine = shortSine(r) * radius;
    const cosine = shortCosine(r) * radius;
    // The remainder is exact in integers, so the quarter turns cost no precision.
    switch (quadrant & 3) {
      case 0:
        out[i] = cosine;
        out[i + 1] = sine;
        break;
      case 1:
        out[i] = -sine;
        out[i + 1] = cosine;
        break;
      case 2:
        out[i] = -cosine;
        out[i + 1] = -sine;
        break;
      default:
        out[i] = sine;
        out[i + 1] = -cosine;
    }
  }
}

/** Elements drawn at a time: bits and normals of a block stay in the first-level cache. A multiple of 4. */
export const normalBlock = 1024;

/** Draws the normals of one key block by block, so that noise is used where it is made and never stored. */
export class NormalBlocks {
  /** Normals of the block last drawn. */
  readonly values = new Float32Array(normalBlock);
  readonly #bits = new Int32Array(normalBlock);

  /** Fills `values` with the float32 normals of elements `start` to `start + normalBlock`; `start` is a multiple of it. */
  draw(key: RandomKey, start: number, count: number): void {
    const whole = count + (count & 1);
    fillRandomBits(whole === normalBlock ? this.#bits : this.#bits.subarray(0, whole), key, start / 4);
    boxMuller(this.#bits, this.values, whole);
  }
}

/** Standard normals of `key`, element by element as on every backend. */
export function fillNormals(out: Float32Array, key: RandomKey): void {
  const blocks = new NormalBlocks();
  for (let start = 0; start < out.length; start += normalBlock) {
    const count = Math.min(normalBlock, out.length - start);
    blocks.draw(key, start, count);
    out.set(count === normalBlock ? blocks.values : blocks.values.subarray(0, count), start);
  }
}

/** The key of the negative half's noise: the same, with the stream's complement. */
export function complementKey(key: RandomKey): RandomKey {
  return { ...key, stream: ~key.stream >>> 0 };
}
