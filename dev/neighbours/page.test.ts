import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { composePage, page, readRecords } from './page.mjs';

const text = readFileSync(page, 'utf8');
const records = readRecords();
/** The results on the page, with the options of their commands. */
const commands = {
  continual: 'continual',
  'federated-signs': 'federated-signs',
  'one-shot': 'one-shot',
  'dale-langevin-digits-adamw': 'dale-langevin',
  'dale-langevin-digits-lmd': 'dale-langevin --optimizer lmd',
  'dale-langevin-clothes-adamw': 'dale-langevin --data clothes',
  'dale-langevin-mixture-adamw': 'dale-langevin --data mixture',
  'dale-langevin-mixture-lmd': 'dale-langevin --data mixture --optimizer lmd',
} as const;
const names = Object.keys(commands) as (keyof typeof commands)[];
/** With a chart or with pictures. */
const figures = names.filter((name) => !name.includes('mixture'));

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

const percent = (fraction: unknown, digits = 2) => `${(100 * Number(fraction)).toFixed(digits)} %`;

type Row = { readonly [key: string]: number | string };
const text4 = (value: unknown) => Number(value).toFixed(4);

/** Of pictures that a classifier judged, or of the mixture. */
interface DiffusionResults {
  readonly judged?: Readonly<Record<string, Row>>;
  readonly times: readonly number[];
  readonly errors: readonly number[];
  readonly pValue: number;
}

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
    case 'federated-signs': {
      const { results: rows } = results as { readonly results: readonly (Row & { accuracies: number[] })[] };
      return rows.map((one) => [`${one.method}`, percent(one.accuracies.at(-1)), one.upBytes.toLocaleString('en')]);
    }
    default: {
      const { judged, times, errors, pValue } = results as DiffusionResults;
      if (judged !== undefined) {
        return Object.entries(judged).map(([kind, one]) => [kind, percent(one.confidence, 1)]);
      }
      const ofTime = times.map((time, i) => [`relative error of the score, t = ${time}`, percent(errors[i], 1)]);
      return [...ofTime, [], [], ['p-value of the energy test', pValue.toFixed(3)]];
    }
  }
}

it.each(names)('has the numbers of the results of %s in its table', (name) => {
  const { table, results, command } = records[name];
  const wanted = cellsOf(name, results);
  expect(table.rows).toHaveLength(wanted.length);
  for (const [i, cells] of wanted.entries()) expect(table.rows[i]).toEqual(expect.arrayContaining(cells));
  // With few options, so that the command on the page is short.
  expect(command).toBe(`npm run example -- ${commands[name]}`);
});

it.each(figures)('has the figure of %s', (name) => {
  const extension = name.startsWith('dale-langevin') ? 'png' : 'svg';
  expect(existsSync(fileURLToPath(new URL(`../../docs/neighbours/${name}.${extension}`, import.meta.url)))).toBe(true);
  expect(text).toContain(`neighbours/${name}.${extension}`);
});

it('has the step of the score network beside PyTorch, with the ratio of the two rows', () => {
  const { table, results, command } = records['score-step'];
  const { value, peerValue, ratio } = results.speed;
  expect(ratio).toBeCloseTo(value / peerValue, 6);
  expect(table.rows.map((row: string[]) => row[1])).toEqual([value.toFixed(0), peerValue.toFixed(0)]);
  expect(command).toMatch(/^node dev\/neighbours\/score-step\.mjs( --threads \d+)?$/);
});
