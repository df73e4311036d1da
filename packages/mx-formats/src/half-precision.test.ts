import { describe, expect, it } from 'vitest';
import { randomBits } from '../test/values.js';
import { MxFormatError, roundToBfloat16, roundToFloat16 } from './index.js';

const bitsOf = (values: Float32Array) => Array.from(new Uint32Array(values.buffer));

/** Nearest of the given precision by division, in float64: exact for float32 input. */
function naive(value: number, mantissaBits: number, emin: number, overflow: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), emin);
  const quantum = 2 ** (exponent - mantissaBits);
  const steps = value / quantum;
  const down = Math.floor(steps);
  const nearest = steps - down > 0.5 || (steps - down === 0.5 && Math.abs(down) % 2 === 1) ? down + 1 : down;
  const rounded = nearest * quantum;
  if (Math.abs(rounded) >= overflow) return Math.sign(value) * Number.POSITIVE_INFINITY;
  return rounded === 0 && value < 0 ? -0 : rounded;
}

const next = randomBits(99);
const words = [
  0, 1, 0x7f800000, 0x7f7fffff, 0x7f7f8000, 0x7f7f7fff, 0x477fefff, 0x477ff000, 0x33000000, 0x33000001, 0x387fe000,
];
for (let i = 0; i < 20000; i++) words.push(next() % 0x7f800000);
for (let i = 0; i < 20000; i++) words.push(0x33000000 + (next() % 0x15000000));
for (let high = 0; high < 0x7f80; high += 3)
  words.push(high * 65536 + 0x8000, high * 65536 + 0x7fff, high * 65536 + 0x8001);
const values = new Float32Array(Uint32Array.from(words.flatMap((word) => [word, word + 0x80000000])).buffer);

describe.each([
  ['roundToBfloat16', roundToBfloat16, 7, -126, 2 ** 128],
  ['roundToFloat16', roundToFloat16, 10, -14, 2 ** 16],
] as const)('%s', (_, round, mantissaBits, emin, overflow) => {
  it('rounds to nearest, ties to even, with subnormals, overflow and the sign of zero', () => {
    const out = round(values);
    const wrong = values.findIndex((value, i) => !Object.is(out[i], naive(value, mantissaBits, emin, overflow)));
    expect(wrong < 0 ? 'all equal' : `${values[wrong]} became ${out[wrong]}`).toBe('all equal');
  });

  it('keeps a NaN and its sign, and works in place', () => {
    const input = new Float32Array(Uint32Array.of(0x7f800001, 0xffc12345, 0x3f800000).buffer);
    expect(round(input, input)).toBe(input);
    expect(bitsOf(input)).toEqual([0x7fc00000, 0xffc00000, 0x3f800000]);
  });

  it('refuses an out of another length', () => {
    expect(() => round(new Float32Array(3), new Float32Array(2))).toThrow(MxFormatError);
  });
});
