import { dequantize, formatNamed, quantize } from '@lmd/mx-formats';
import { logNormality } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { blockOf } from './block.js';
import { axisOf, plotted } from './plot.js';

const shape = [70, 3];
const values = Float32Array.from({ length: 210 }, (_, n) => Math.sin(n * 1.7) * 2 ** ((n % 11) - 8));

describe('a block', () => {
  it.each(['mxfp4_e2m1', 'mxfp6_e3m2', 'mxfp8_e4m3', 'mxint8', 'nvfp4'])(
    'is that of the whole matrix in %s',
    (name) => {
      const format = formatNamed(name);
      const whole = quantize(values, { format, shape, axis: 0 });
      const decoded = dequantize(whole);
      const first = blockOf('w', { values, shape, axis: 0 }, name, 0);
      expect(first.count).toBe(whole.scales.length);
      for (let index = 0; index < first.count; index++) {
        const block = blockOf('w', { values, shape, axis: 0 }, name, index);
        const column = index % 3;
        const start = Math.floor(index / 3) * whole.blockSize;
        expect(block.place).toBe(`output ${column}, inputs ${start} to ${start + block.elements.length - 1}`);
        for (const [i, { value, quantized, code }] of block.elements.entries()) {
          expect(value).toBe(values[(start + i) * 3 + column]);
          expect(quantized).toBe(decoded[(start + i) * 3 + column]);
          expect(code).toHaveLength(format.element.bits);
          // Each is a code's value times the scale: of MXFP4 a multiple of a half.
          if (name === 'mxfp4_e2m1') expect(Number.isInteger((2 * quantized) / block.scale)).toBe(true);
          if (name === 'nvfp4')
            expect((2 * quantized) / block.scale).toBeCloseTo(Math.round((2 * quantized) / block.scale), 4);
        }
      }
    },
  );

  it('shows MXFP4 for a run without a block format, and wraps around', () => {
    const block = blockOf('w', { values, shape, axis: 0 }, 'fp32', -1);
    expect(block.format).toBe('mxfp4_e2m1');
    expect(block.index).toBe(block.count - 1);
    expect(block.relativeError).toBeGreaterThan(0);
    expect(block.relativeError).toBeLessThan(0.4);
  });
});

describe('a histogram', () => {
  /** Evenly spaced quantiles of a log-normal distribution: median 0.02, σ = 0.5. */
  const logs = Float64Array.from({ length: 4000 }, (_, n) => Math.log(0.02) + 0.5 * normalQuantile((n + 0.5) / 4000));

  it('finds the median and the spread of a log-normal', () => {
    const plot = plotted(logNormality([logs], 48));
    expect(plot.median).toBeCloseTo(0.02, 4);
    expect(plot.spread).toBeCloseTo(Math.exp(0.5), 2);
    const area = plot.bars.reduce((sum, { from, to, density }) => sum + (to - from) * density, 0);
    expect(area).toBeCloseTo(1, 6);
    const law = plot.law.slice(1).reduce((sum, { x, density }, n) => sum + (x - plot.law[n]!.x) * density, 0);
    expect(law).toBeCloseTo(1, 3);
    for (const { from, to, density } of plot.bars) {
      const z = (((from + to) / 2) * Math.LN10 - Math.log(0.02)) / 0.5;
      const expected = (Math.exp((-z * z) / 2) / (0.5 * Math.sqrt(2 * Math.PI))) * Math.LN10;
      expect(Math.abs(density - expected)).toBeLessThan(0.1);
    }
    expect(axisOf([plot])).toEqual([-3, 0]);
  });

  it('survives weights that are all equal', () => {
    const plot = plotted(logNormality([Float64Array.of(-2, -2, -2)], 8));
    expect(plot.law).toEqual([]);
    const [low, high] = axisOf([plot]);
    expect(high).toBeGreaterThan(low);
  });
});

/** By bisection of the error function's series: exact enough, and no code under test. */
function normalQuantile(p: number): number {
  let [low, high] = [-9, 9];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function normalShare(z: number): number {
  let [term, sum] = [z, z];
  for (let n = 1; n < 200; n++) {
    term *= (z * z) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}
