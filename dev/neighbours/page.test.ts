import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { composePage, page, readRecords } from './page.mjs';

const text = readFileSync(page, 'utf8');
const records = readRecords();
const names = ['continual', 'federated-signs', 'one-shot'];

it('shows the tables that the results give, to the letter', () => {
  expect(Object.keys(records)).toEqual(expect.arrayContaining(names));
  // `node dev/neighbours/page.mjs` writes it anew.
  expect(composePage(text, records)).toBe(text);
});

it.each(names)('shows other numbers for other results of %s', (name) => {
  const changed = structuredClone(records);
  const { rows } = changed[name].table;
  rows[0] = rows[0].map((cell: string, column: number) => (column === 0 ? cell : '12.345 %'));
  expect(composePage(text, changed)).toContain('12.345 %');
  expect(text).not.toContain('12.345 %');
});

const percent = (fraction: unknown) => `${(100 * Number(fraction)).toFixed(2)} %`;

type Row = { readonly [key: string]: number | string };
const text4 = (value: unknown) => Number(value).toFixed(4);

/** The numbers behind each row, as its cells state them. */
function cellsOf(name: string, results: unknown): string[][] {
  switch (name) {
    case 'one-shot': {
      const { before, results: rows } = results as { readonly before: Row; readonly results: readonly Row[] };
      const ofRow = (one: Row) => [percent(one.oldAccuracy), text4(one.oldLoss)];
      return [ofRow(before), ...rows.map((one) => [`${one.method}`, `${one.pictures}`, ...ofRow(one)])];
    }
    case 'continual':
      return (results as readonly Row[]).map((one) => [
        ...[`${one.optimizer}`, `${one.projection}`],
        ...[percent(one.averageAccuracy), percent(one.forgetting)],
      ]);
    default: {
      const { results: rows } = results as { readonly results: readonly (Row & { accuracies: number[] })[] };
      return rows.map((one) => [`${one.method}`, percent(one.accuracies.at(-1)), one.upBytes.toLocaleString('en')]);
    }
  }
}

it.each(names)('has the numbers of the results of %s in its table', (name) => {
  const { table, results, command } = records[name];
  const wanted = cellsOf(name, results);
  expect(table.rows).toHaveLength(wanted.length);
  for (const [i, cells] of wanted.entries()) expect(table.rows[i]).toEqual(expect.arrayContaining(cells));
  // With the default options, so that the command on the page is short.
  expect(command).toBe(`npm run example -- ${name}`);
});

it.each(names)('has the figure of %s', (name) => {
  expect(existsSync(fileURLToPath(new URL(`../../docs/neighbours/${name}.svg`, import.meta.url)))).toBe(true);
  expect(text).toContain(`neighbours/${name}.svg`);
});
