import { type Chart, chartInPage, html, lineChart, page, seriesColors, type Table, tableInPage } from '@lmd/report';
import { percent } from '../output/units.js';
import { atTheEdge, type Found, rankedTrials, type SearchPlan, winnerOf } from './plan-search.js';
import { describeDimension } from './spaces.js';

/** The table of the winners, in the terminal and in the page. */
export function winnerTable({ configuration, spaces, trials }: SearchPlan, found: readonly Found[]): Table {
  const rows = configuration.optimizers.map(({ name }) => {
    const ranked = rankedTrials(found, name);
    const winner = winnerOf(found, name);
    const finite = ranked.filter(({ result }) => !result.diverged);
    // Of an even number the upper of the middle two: a loss that a trial has had.
    const median = finite[Math.floor(finite.length / 2)]?.result.loss;
    return [
      name,
      winner === undefined ? 'every trial diverged' : showOptions(winner.trial.options, Object.keys(spaces[name]!)),
      winner?.result.loss?.toFixed(4) ?? '',
      winner?.result.accuracy == null ? '' : percent(winner.result.accuracy),
      median?.toFixed(4) ?? '',
      `${ranked.length} of ${trials}`,
      String(ranked.length - finite.length),
    ];
  });
  const titles = ['optimizer', 'best settings', 'validation loss', 'accuracy', 'median loss', 'trials', 'diverged'];
  return {
    columns: titles.map((title, index) => ({ title, align: index < 2 ? ('left' as const) : ('right' as const) })),
    rows,
  };
}

function showOptions(options: Found['trial']['options'], order: readonly string[]): string {
  return order.map((option) => `${option} ${options[option]}`).join(', ');
}

/** The winner of the search, in a sentence. */
export function conclusionOf({ configuration }: SearchPlan, found: readonly Found[]): string {
  const winners = configuration.optimizers
    .flatMap(({ name }) => winnerOf(found, name) ?? [])
    .sort((a, b) => a.result.loss! - b.result.loss!);
  const [best, next] = winners;
  if (best === undefined) return 'Every trial diverged: search lower learning rates.';
  const over = next === undefined ? '' : `; ${next.trial.optimizer} follows with ${next.result.loss!.toFixed(4)}`;
  return `${best.trial.optimizer} has the lowest validation loss, ${best.result.loss!.toFixed(4)}${over}.`;
}

/** The validation loss of every trial by one option, a diamond each. */
function optionChart(plan: SearchPlan, found: readonly Found[], option: string): Chart {
  const names = plan.configuration.optimizers.map(({ name }) => name);
  const shown = names.filter((name) => plan.spaces[name]![option] !== undefined);
  const isLog = shown.every((name) => plan.spaces[name]![option]!.scale === 'log');
  return lineChart({
    label: `Validation loss by ${option}`,
    x: { title: `${option}${isLog ? ' (log scale)' : ''}`, scale: isLog ? 'log' : 'linear' },
    y: { title: 'validation loss (nats, log scale)', scale: 'log' },
    series: shown.map((name) => ({
      name,
      color: names.indexOf(name),
      style: 'star' as const,
      points: rankedTrials(found, name).flatMap(({ trial, result }) =>
        result.diverged || result.loss === null ? [] : [{ x: Number(trial.options[option]), y: result.loss }],
      ),
    })),
  });
}

/** The report of a search as one self-contained page. */
export function renderSearch(plan: SearchPlan, found: readonly Found[]): string {
  const { configuration, spaces, trials, steps } = plan;
  const options = [...new Set(Object.values(spaces).flatMap((space) => Object.keys(space)))];
  const isNumeric = (option: string) => found.some(({ trial }) => typeof trial.options[option] === 'number');
  const edge = atTheEdge(plan, found);
  const lead = (row: number) => html`<span class="swatch series-${row % seriesColors}"></span>`;
  return page(
    `${configuration.name}: search`,
    html`<header><h1>${configuration.name}: search</h1><p class="lead">${conclusionOf(plan, found)}</p></header>
<section><h2>Best settings</h2>${tableInPage(winnerTable(plan, found), { lead, stacked: true })}
<p class="note">${trials} trials of ${steps} steps for each optimizer, at the points of a Latin hypercube (seed
${configuration.seed}), by the loss on validation data. The test set was not used.</p>
${edge.length === 0 ? undefined : html`<p class="note">At the end of its range: ${edge.join(', ')}. The optimum may be beyond.</p>`}</section>
<section><h2>Loss by setting</h2>${options
      .filter(isNumeric)
      .map((option) => html`<h3>${option}</h3>${chartInPage(optionChart(plan, found, option))}`)}</section>
<section><h2>Ranges</h2><ul>${Object.entries(spaces).map(
      ([name, space]) =>
        html`<li>${name}: ${Object.entries(space)
          .map(([option, dimension]) => describeDimension(option, dimension))
          .join('; ')}</li>`,
    )}</ul></section>`,
  );
}
