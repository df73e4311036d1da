import { expect, it } from 'vitest';
import { goldenCases } from './index.js';

it('lists every format, scale mode and rounding on both data sets', () => {
  const names = goldenCases.map((golden) => [golden.dataset, golden.format, golden.scaleMode, golden.rounding].join());
  expect(new Set(names).size).toBe(2 * 6 * 4 * 4);
  expect(goldenCases.every((golden) => golden.hashes.length === 51)).toBe(true);
});
