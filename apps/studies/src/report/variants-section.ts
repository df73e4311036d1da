import type { Study } from '../study/schema.js';
import { type Block, heading, table, text } from './blocks.js';
import { accuracies, type Evidence, optimizerTitle, pairedDifferences, select } from './evidence.js';
import { formatTitle, percentInterval, signedPercentInterval } from './format.js';
import { governedSignal } from './signal-section.js';
import { confidenceInterval } from './statistics.js';

function cells(
  evidence: Evidence,
  part: 'ablation' | 'governs',
  optimizer: string,
  variant: string,
  formats: readonly string[],
) {
  const [reference, ...others] = formats;
  const found = (format: string) => select(evidence, part, { optimizer, variant, format });
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

/** One change of an optimizer at a time. */
export function ablationSection(evidence: Evidence): Block[] {
  const { ablation } = evidence.study;
  if (ablation === undefined) return [];
  const { optimizer, formats, steps, seeds, variants } = ablation;
  const title = optimizerTitle(evidence.study, optimizer);
  const all: readonly { name: string; note?: string | undefined }[] = [{ name: 'unchanged' }, ...variants];
  const rows = all
    .map(({ name, note }) => [
      note === undefined ? name : `${name} (${note})`,
      ...cells(evidence, 'ablation', optimizer, name, formats),
    ])
    .filter((row) => !isEmpty(row, formats, 1));
  const block = heading(`${title}, one change at a time`);
  if (rows.length === 0) return [block, text('The ledger has no trials of the ablation yet.')];
  return [
    block,
    text(
      `Validation accuracy in percent after ${steps} steps, seeds ${seeds.join(', ')}: the winner of the ` +
        'search, and the same settings with one change each, without further tuning.',
    ),
    table(['variant', ...columns(formats)], rows),
  ];
}

/** What affects the gap between formats. */
export function governsSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const { governs } = study;
  if (governs === undefined) return [];
  const { formats, seeds, steps } = governs;
  const rows = rowsOfGoverns(evidence, governs).filter((row) => !isEmpty(row, formats, 2));
  const hasGaps = formats.length > 1;
  const block = heading(hasGaps ? 'Factors of the gap between formats' : 'One change at a time');
  if (rows.length === 0) return [block, text('The ledger has no trials of this part yet.')];
  return [
    block,
    text(
      `Validation accuracy in percent after ${steps} steps unless the row states another number, seeds ` +
        `${seeds.join(', ')}; one change of the winner of the search at a time.` +
        (hasGaps ? ' Gaps are paired by seed.' : ''),
    ),
    table(['variant', 'optimizer', ...columns(formats)], rows, 2),
    ...governedSignal(evidence),
  ];
}

function rowsOfGoverns(evidence: Evidence, governs: NonNullable<Study['governs']>): string[][] {
  const all: readonly { name: string; note?: string | undefined }[] = [{ name: 'unchanged' }, ...governs.variants];
  return all.flatMap(({ name, note }) =>
    governs.optimizers.map((optimizer) => [
      note === undefined ? name : `${name} (${note})`,
      optimizerTitle(evidence.study, optimizer),
      ...cells(evidence, 'governs', optimizer, name, governs.formats),
    ]),
  );
}
