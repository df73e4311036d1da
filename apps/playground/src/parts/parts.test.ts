import { expect, it } from 'vitest';
import { asDigit } from './drawing.js';
import { bandwidthText, percent, short } from './text.js';

const size = 280;

function drawing(isInk: (x: number, y: number) => boolean) {
  const data = new Uint8ClampedArray(size * size * 4);
  for (let n = 0; n < size * size; n++) {
    const value = isInk(n % size, Math.floor(n / size)) ? 255 : 0;
    data.set([value, value, value, 255], 4 * n);
  }
  return { width: size, height: size, data };
}

it('fits a drawing into 20 × 20 pixels with its mass in the middle, wherever and however large it is', () => {
  const ring = (left: number, top: number, radius: number) =>
    asDigit(drawing((x, y) => Math.abs(Math.hypot(x - left - radius, y - top - radius) - radius + 6) < 6))!;
  const large = ring(20, 20, 115);
  const small = ring(180, 30, 40);
  for (const { data, width } of [large, small]) {
    expect(width).toBe(28);
    const inked = [...data.keys()].filter((n) => data[n]! > 40);
    const columns = inked.map((n) => n % 28);
    expect(Math.max(...columns) - Math.min(...columns) + 1).toBe(20);
    const total = data.reduce((sum, value) => sum + value, 0);
    const across = data.reduce((sum, value, n) => sum + value * (n % 28), 0) / total;
    expect(across).toBeCloseTo(13.5, 0);
  }
  expect(asDigit(drawing(() => false))).toBeUndefined();
});

it('shows numbers', () => {
  expect([0, 0.02, -0.00363, 1234.5].map(short)).toEqual(['0', '0.02', '−0.00363', '1230']);
  expect([4.7e-4, -1.25e-10, 3e5].map(short)).toEqual(['4.7 · 10⁻⁴', '−1.3 · 10⁻¹⁰', '3.0 · 10⁵']);
  expect([percent(0.123), percent(undefined), bandwidthText(1.5e9), bandwidthText(undefined)]).toEqual([
    '12.3 %',
    '–',
    '1.50 GB/s',
    '–',
  ]);
});
