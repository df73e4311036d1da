import blocks from '../golden/blocks.json' with { type: 'json' };

const roundings = ['nearestEven', 'nearestAway', 'towardZero', 'stochastic'] as const;

/**
 * What the oracles (torchao's scales, gfloat's roundings) make of a set of values, as hashes: to check
 * another implementation against them. The inputs follow the formulas of `dev/golden/mx-formats/inputs.py`.
 */
export interface GoldenCase {
  readonly dataset: 'patterns' | 'edges';
  readonly format: 'mxfp8_e4m3' | 'mxfp8_e5m2' | 'mxfp6_e3m2' | 'mxfp6_e2m3' | 'mxfp4_e2m1' | 'mxint8';
  readonly scaleMode: 'floor' | 'ceil' | 'rceil' | 'even';
  readonly rounding: (typeof roundings)[number];
  /** For `stochastic`. */
  readonly key: { readonly seed: number; readonly stream: number; readonly step: number; readonly sample: number };
  /** `hashWords` of the float32 bits of the result, one for each of `goldenChunks` equal parts of the values. */
  readonly hashes: readonly number[];
}

/** Equal parts that a data set is hashed in: part c holds the blocks around float32 exponent fields 5c to 5c + 4. */
export const goldenChunks = 51;

/**
 * Every OCP format under every scale mode and rounding, on both data sets, in blocks of 32 along consecutive elements.
 */
export const goldenCases: readonly GoldenCase[] = blocks.cases.flatMap((golden) =>
  roundings.map((rounding) => ({
    dataset: golden.dataset as GoldenCase['dataset'],
    format: golden.format as GoldenCase['format'],
    scaleMode: golden.scaleMode as GoldenCase['scaleMode'],
    rounding,
    key: blocks.key,
    hashes: golden[rounding],
  })),
);

/** All of it: also the scales and torchao's codes, by data set, format and scale mode. */
export const goldenBlocks = blocks;

/** The hashes of the data sets, from the program that ran the oracles: the values here must have the same. */
export const goldenInputs: Readonly<Record<GoldenCase['dataset'], number>> = blocks.inputs;

/** The values of a data set: a new array. */
export function goldenValues(dataset: GoldenCase['dataset']): Float32Array {
  return dataset === 'patterns' ? patterns() : edges();
}

/** The hashes of a result, to compare with those of a `GoldenCase`. */
export function goldenHashes(result: Float32Array): number[] {
  const words = new Uint32Array(result.buffer, result.byteOffset, result.length);
  const size = words.length / goldenChunks;
  return Array.from({ length: goldenChunks }, (_, chunk) => hashWords(words, chunk * size, (chunk + 1) * size));
}

/** A 32-bit mixing function (lowbias32, by Chris Wellons). */
function mix(word: number): number {
  let x = word;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Sum over i of mix(word_i + i·0x9e3779b9), modulo 2^32: sensitive to every bit and to the order. */
export function hashWords(words: ArrayLike<number>, start = 0, end = words.length): number {
  let sum = 0;
  let offset = 0;
  for (let i = start; i < end; i++) {
    let x = (words[i]! + offset) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    sum = (sum + (x ^ (x >>> 16))) | 0;
    offset = (offset + 0x9e3779b9) | 0;
  }
  return sum >>> 0;
}

/**
 * Every finite float32 of 12 leading mantissa bits, each once: 255 groups of 256 blocks of 32, each spanning eight
 * binades.
 */
function patterns(): Float32Array {
  const bits = new Int32Array(255 * 8192);
  for (let e = 0; e < 255; e++) {
    for (let p = 0; p < 8192; p++) {
      const exponent = (e - (p % 8) + 255) % 255;
      bits[e * 8192 + p] = (p << 31) | (exponent << 23) | ((p >> 1) << 11);
    }
  }
  return new Float32Array(bits.buffer);
}

/**
 * 255 groups of 16 blocks of 32 around group e's binade: ties of every element format and their neighbours, over 24
 * binades.
 */
function edges(): Float32Array {
  const bits = new Int32Array(255 * 512);
  for (let i = 0; i < bits.length; i++) {
    const h = mix(i);
    const g = mix(i + 0x10000000);
    const e = Math.floor(i / 512);
    const down = i % 32 === 0 ? 0 : h % 24;
    const exponent = Math.max(e - down, 0);
    const kept = (h >>> 5) % 8;
    const mantissa = ((g & 0x7fffff) >> (23 - kept)) << (23 - kept);
    const tie = (h >>> 8) % 4 !== 0 ? 1 << (22 - kept) : 0;
    const magnitude = ((exponent << 23) | mantissa | tie) + ((h >>> 10) % 3) - 1;
    bits[i] = ((h >>> 12) << 31) | Math.min(Math.max(magnitude, 0), 0x7f7fffff);
  }
  return new Float32Array(bits.buffer);
}
