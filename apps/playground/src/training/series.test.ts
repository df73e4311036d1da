import { expect, it } from 'vitest';
import { Series } from './series.js';

it('keeps means of a long run in few points', () => {
  const series = new Series(100);
  for (let step = 1; step <= 10_000; step++) series.add(step, step % 2);
  expect(series.xs.length).toBeLessThanOrEqual(101);
  expect(series.xs.length).toBeGreaterThan(50);
  expect(series.xs.at(-1)).toBeGreaterThan(9_700);
  for (const y of series.ys) expect(y).toBeCloseTo(0.5, 1);
  expect([...series.xs].sort((a, b) => a - b)).toEqual(series.xs);
});

it('forgets what a run computes again', () => {
  const series = new Series();
  for (let step = 1; step <= 30; step++) series.add(step, step);
  series.cut(20);
  series.add(21, -1);
  expect(series.xs.at(-1)).toBe(21);
  expect(series.ys.slice(-2)).toEqual([20, -1]);
});
