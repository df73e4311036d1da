import { describe, expect, it } from 'vitest';
import { normals } from '../test/values.js';
import { quantizationError } from './index.js';

describe('quantizationError', () => {
  it('is what the definition says, worked out by hand for MXFP4', () => {
    // Scale 1: 7 clips to 6, 0.1 is flushed to 0, 2.4 becomes 2 (error 0.4), 1 stays.
    const values = Float32Array.of(7, 0.1, 2.5, 1);
    const error = quantizationError(values, { format: 'mxfp4_e2m1' });
    const signal = 49 + Math.fround(0.1) ** 2 + 6.25 + 1;
    const noise = 1 + Math.fround(0.1) ** 2 + 0.25;
    expect(error.signalToNoise).toBeCloseTo(10 * Math.log10(signal / noise), 10);
    expect(error).toMatchObject({ largestError: 1, clipped: 0.25, flushed: 0.25 });
  });

  it('is nothing for values on the grid and for no values', () => {
    const none = { signalToNoise: Number.POSITIVE_INFINITY, largestError: 0, clipped: 0, flushed: 0 };
    expect(quantizationError(Float32Array.of(1, 2, -3, 6, 0, -0), { format: 'mxfp4_e2m1' })).toEqual(none);
    expect(quantizationError(new Float32Array(0), { format: 'mxint8' })).toEqual(none);
  });

  it('is NaN where a value is not finite: nothing is hidden', () => {
    const error = quantizationError(Float32Array.of(1, Number.NaN), { format: 'mxint8' });
    expect([error.signalToNoise, error.largestError]).toEqual([Number.NaN, Number.NaN]);
  });

  it('falls by about 6 dB for each mantissa bit on normal data, and counts clipping in two’s complement too', () => {
    const values = normals(1 << 15, 3);
    const decibels = (format: 'mxfp8_e4m3' | 'mxfp8_e5m2' | 'mxint8') =>
      quantizationError(values, { format }).signalToNoise;
    expect(decibels('mxfp8_e4m3') - decibels('mxfp8_e5m2')).toBeGreaterThan(4.5);
    expect(decibels('mxfp8_e4m3') - decibels('mxfp8_e5m2')).toBeLessThan(7.5);
    expect(decibels('mxint8')).toBeGreaterThan(40);
    const clipping = quantizationError(Float32Array.of(1.999, -1.999, 1, -1), { format: 'mxint8' });
    expect(clipping.clipped).toBe(0.5);
  });
});
