import type { Study } from '../study/schema.js';
import { type Block, heading, table, text } from './blocks.js';
import { accuracies, type Evidence, pairedDifferences, ruleTitle, select } from './evidence.js';
import { formatTitle, percentInterval, signedPercentInterval } from './format.js';
import { confidenceInterval } from './statistics.js';

function cells(
  evidence: Evidence,
  part: 'ablation' | 'governs',
  rule: string,
  variant: string,
  formats: readonly string[],
) {
  const [reference, ...others] = formats;
  const found = (format: string) => select(evidence, part, { rule, variant, format });
  const diverged = formats.reduce(
    (sum, format) => sum + found(format).filter(({ result }) => result.diverged).length,
    0,
  );
  return [
    ...formats.map((format) => percentInterval(confidenceInterval(accuracies(found(format))))),
    ...others.map((format) =>
      signedPercentInterval(confidenceInterval(pairedDifferences(found(format), found(reference!)))),
    ),
    diverged === 0 ? '' : String(diverged),
  ];
}

function columns(formats: readonly string[]): string[] {
  const titles = formats.map(formatTitle);
  return [...titles, ...titles.slice(1).map((title) => `${title} minus ${titles[0]}`), 'diverged'];
}

function isEmpty(row: readonly string[], formats: readonly string[], leading: number): boolean {
  return row.slice(leading, leading + formats.length).every((cell) => cell === '–');
}

/** One ingredient of a rule changed at a time. */
export function ablationSection(evidence: Evidence): Block[] {
  const { ablation } = evidence.study;
  if (ablation === undefined) return [];
  const { rule, formats, steps, seeds, variants } = ablation;
  const title = ruleTitle(evidence.study, rule);
  const all: readonly { name: string; note?: string | undefined }[] = [{ name: 'as it is' }, ...variants];
  const rows = all
    .map(({ name, note }) => [
      note === undefined ? name : `${name} (${note})`,
      ...cells(evidence, 'ablation', rule, name, formats),
    ])
    .filter((row) => !isEmpty(row, formats, 1));
  const block = heading(`${title}, one change at a time`);
  if (rows.length === 0) return [block, text('No trial of the ablation is in the ledger yet.')];
  return [
    block,
    text(
      `Validation accuracy in percent after ${steps} steps, seeds ${seeds.join(', ')}: the winner of the search, and the winner with one thing changed and nothing tuned again.`,
    ),
    table(['variant', ...columns(formats)], rows),
  ];
}

/** What makes the gap between formats larger or smaller. */
export function governsSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const { governs } = study;
  if (governs === undefined) return [];
  const { formats, seeds, steps } = governs;
  const rows = rowsOfGoverns(evidence, governs).filter((row) => !isEmpty(row, formats, 2));
  const block = heading('What governs the gap');
  if (rows.length === 0) return [block, text('No trial of this part is in the ledger yet.')];
  return [
    block,
    text(
      `Validation accuracy in percent after ${steps} steps unless the row says otherwise, seeds ${seeds.join(', ')}; one thing changed from the winner of the search at a time. The gap is paired by seed.`,
    ),
    table(['variant', 'rule', ...columns(formats)], rows, 2),
  ];
}

function rowsOfGoverns(evidence: Evidence, governs: NonNullable<Study['governs']>): string[][] {
  const all: readonly { name: string; note?: string | undefined }[] = [{ name: 'as it is' }, ...governs.variants];
  return all.flatMap(({ name, note }) =>
    governs.rules.map((rule) => [
      note === undefined ? name : `${name} (${note})`,
      ruleTitle(evidence.study, rule),
      ...cells(evidence, 'governs', rule, name, governs.formats),
    ]),
  );
}
