import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { page, readme, readmeSentence, results, resultsTable } from '../bench/exact-products/page.mjs';
import { withMarked } from '../bench/lib/marked.mjs';
import { exactProductFigure, figure, formatsTable, withFormats } from './exact-products.mjs';

const text = (path: string) => readFileSync(path, 'utf8');

it('shows the formats that have exact products, as their records say', () => {
  expect(formatsTable()).toContain('mxfp6_e2m3');
  expect(formatsTable()).not.toContain('mxfp8_e4m3');
  expect(withFormats(text(page))).toBe(text(page));
});

it('shows a block of an exact product', () => {
  expect(exactProductFigure()).toBe(text(figure));
});

it('says in the page and in the README what the benchmark measured', () => {
  const measured = JSON.parse(text(results));
  expect(withMarked(text(page), 'measured', resultsTable(measured))).toBe(text(page));
  expect(withMarked(text(readme), 'exact-products', readmeSentence(measured))).toBe(text(readme));
});

it('names missing markers', () => {
  expect(() => withMarked('none', 'measured', '')).toThrow('There are no markers <!-- measured -->');
});
