import type { ElementFormat } from '../src/index.js';
import { magnitudesOf } from './naive.js';

/** A small reproducible generator for test data (xorshift32). */
export function randomBits(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * Finite float32 values where rounding can go wrong: every code value, every tie and their float32 neighbours, under
 * many scales; powers of two and their neighbours in every binade; subnormals; both zeros; and random bit patterns.
 * Shuffled, so that blocks mix them.
 */
export function interestingFloats(element: ElementFormat): Float32Array {
  const floats = new Float32Array(1);
  const bits = new Int32Array(floats.buffer);
  const found: number[] = [0, 1, 2, 3, 0x7fffff, 0x800000, 0x800001, 0x7f7fffff];
  const add = (value: number) => {
    floats[0] = value;
    if (!Number.isFinite(floats[0])) return;
    for (let delta = -1; delta <= 1; delta++) {
      const near = bits[0]! + delta;
      if (near >= 0 && near < 0x7f800000) found.push(near);
    }
  };
  const magnitudes = magnitudesOf(element.name);
  for (const scale of [-149, -140, -127, -126, -113, -20, -1, 0, 1, 60, 110, 120, 125, 127]) {
    magnitudes.forEach((magnitude, i) => {
      add(magnitude * 2 ** scale);
      add(((magnitude + (magnitudes[i + 1] ?? magnitude * 1.1)) / 2) * 2 ** scale);
    });
  }
  for (let exponent = -149; exponent < 128; exponent++) add(2 ** exponent);
  const next = randomBits(12345);
  for (let i = 0; i < 4000; i++) found.push(next() % 0x7f800000);
  for (let i = 0; i < 4000; i++) found.push(0x3f000000 + (next() % 0x3000000));
  const signed = found.flatMap((word) => [word, word | 0x80000000]);
  for (let i = signed.length - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [signed[i], signed[j]] = [signed[j]!, signed[i]!];
  }
  return new Float32Array(Int32Array.from(signed).buffer);
}

/** Reproducible normal values. */
export function normals(count: number, seed: number): Float32Array {
  const next = randomBits(seed * 7919);
  for (let i = 0; i < 16; i++) next();
  const uniform = () => (next() + 0.5) / 2 ** 32;
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}
