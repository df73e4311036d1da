import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import * as library from './index.js';

it('shows in docs/ the errors that the formats have', async () => {
  const { page, withTables } = await import('../scripts/error-table.mjs');
  const text = await readFile(page, 'utf8');
  expect(text).toContain('| mxfp6_e3m2 |');
  expect(withTables(text, library)).toBe(text);
});

it('shows in docs/ the code points that the formats have', async () => {
  const { figure, codePoints } = await import('../scripts/figures.mjs');
  expect(codePoints(library)).toBe(await readFile(figure, 'utf8'));
});
