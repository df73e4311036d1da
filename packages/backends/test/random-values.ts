/** A reproducible generator for test inputs (mulberry32). */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** float32 values in [−scale, scale). */
export function randomFloats(size: number, seed: number, scale = 2): Float32Array {
  const next = randomSource(seed);
  return Float32Array.from({ length: size }, () => (2 * next() - 1) * scale);
}

/** Distance in float32 steps; 0 for two NaN, and Infinity where only one is. */
export function ulpDistance(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity;
  return Math.abs(ordinal(a) - ordinal(b));
}

/** The largest `ulpDistance` of two arrays. */
export function worstUlps(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < actual.length; i++) worst = Math.max(worst, ulpDistance(actual[i]!, expected[i]!));
  return worst;
}

/** The largest |actual − expected| ÷ (1 + |expected|). */
export function worstError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / (1 + Math.abs(expected[i]!));
    if (Number.isNaN(error)) {
      if (ulpDistance(actual[i]!, expected[i]!) !== 0) return Infinity;
    } else worst = Math.max(worst, error);
  }
  return worst;
}

const floats = new Float32Array(1);
const words = new Int32Array(floats.buffer);

function ordinal(value: number): number {
  floats[0] = value;
  return words[0]! < 0 ? -(words[0]! & 0x7fff_ffff) : words[0]!;
}
