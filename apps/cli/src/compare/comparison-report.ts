import { chartInPage, html, page, seriesColors, tableInPage, tableOf } from '@lmd/report';
import { accuracyChart, lossChart } from '../report/curves.js';
import { comparisonColumns, differenceTable } from './columns.js';
import { type Comparison, notesOf, trialTitle } from './comparison.js';

/** The trial with the lowest validation loss, in a sentence; undefined where the data differ or nothing is finite. */
export function conclusionOf({ trials, isSameData, differences }: Comparison): string | undefined {
  if (trials.length < 2 || !isSameData) return undefined;
  const ranked = trials
    .filter(({ validation }) => Number.isFinite(validation?.loss))
    .sort((a, b) => a.validation!.loss - b.validation!.loss);
  const [first, second] = ranked;
  if (first === undefined || second === undefined) return undefined;
  const seeds = differences.some(({ key }) => key === 'seed') ? '' : ' A single seed does not rank optimizers.';
  return (
    `${trialTitle(first, trials)} has the lowest validation loss, ${first.validation!.loss.toFixed(4)}; next is ` +
    `${trialTitle(second, trials)} with ${second.validation!.loss.toFixed(4)}.${seeds}`
  );
}

/** The comparison as one self-contained page with overlaid curves. */
export function renderComparison(comparison: Comparison): string {
  const { trials, curves } = comparison;
  const columns = comparisonColumns(comparison);
  const results = {
    columns: columns.map(({ title, align }) => ({ title, align: align ?? ('left' as const) })),
    rows: trials.map((trial) => columns.map(({ cell }) => cell(trial))),
  };
  const { titles, rows } = differenceTable(comparison);
  const lead = (row: number) => html`<span class="swatch series-${row % seriesColors}"></span>`;
  const conclusion = conclusionOf(comparison);
  return page(
    'Comparison of runs',
    html`<header><h1>Comparison of runs</h1>${conclusion === undefined ? undefined : html`<p class="lead">${conclusion}</p>`}</header>
<section><h2>Results</h2>${tableInPage(results, { lead, stacked: true })}
${notesOf(comparison).map((note) => html`<p class="note">${note}</p>`)}</section>
<section><h2>Differences of the configurations</h2>${
      rows.length === 0
        ? html`<p class="note">None.</p>`
        : tableInPage(tableOf(titles, rows, titles.length), { stacked: true })
    }</section>
<section><h2>Loss</h2>${chartInPage(lossChart(curves))}</section>
<section><h2>Accuracy</h2>${chartInPage(accuracyChart(curves))}</section>`,
  );
}
