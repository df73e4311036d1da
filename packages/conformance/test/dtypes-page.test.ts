import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DTypeRule, primitiveDTypes, primitiveNames } from '@lmd/core';
import { markdownTable } from 'markdown-table';
import { expect, it } from 'vitest';

/** Primitives with the same rule, in one row. */
function rowsOf(): string[][] {
  const rows = new Map<string, string[]>();
  for (const name of primitiveNames) {
    const { result, ...given }: DTypeRule = primitiveDTypes[name];
    const shown = Object.entries(given).map(([argument, allowed]) => `\`${argument}\`: ${[...allowed].join(', ')}`);
    const key = `${shown.join('; ')}|${result}`;
    rows.set(key, [...(rows.get(key) ?? []), `\`${name}\``]);
  }
  return [...rows].map(([key, names]) => [names.join(', '), ...key.split('|')]);
}

it('docs/write-a-backend.md has the dtypes of every primitive', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/write-a-backend.md', import.meta.url)), 'utf8');
  const shown = /<!-- dtypes -->\n([\s\S]*?)\n<!-- \/dtypes -->/.exec(page)?.[1];
  expect(shown).toBe(markdownTable([['primitives', 'arguments', 'result'], ...rowsOf()]));
});
