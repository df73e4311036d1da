import { chartInPage, facts, html, type Markup, page, tableInPage } from '@lmd/report';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import { resultColumns } from '../output/results.js';
import type { Environment, TrialResult } from '../run/types.js';
import { conclusionOf } from './conclusion.js';
import { accuracyChart, type Curve, lossChart } from './curves.js';
import { measurementSection } from './measurements.js';
import { posteriorChart, posteriorTable } from './posterior.js';
import type { PosteriorSummary } from './posterior-summary.js';
import type { Predictions } from './predictions-schema.js';
import { predictionsSection } from './predictions-section.js';

/** Everything that a report shows. */
export interface ReportContent {
  readonly configuration: Configuration;
  readonly results: readonly TrialResult[];
  readonly curves: readonly Curve[];
  readonly posteriors: readonly PosteriorSummary[];
  /** Of classifiers, by optimizer. */
  readonly predictions: readonly Predictions[];
  /** What language models generated. */
  readonly texts: readonly { readonly optimizer: string; readonly prompt: string; readonly text: string }[];
  readonly environment: Environment;
}

function resultTable(results: readonly TrialResult[]): Markup {
  const columns = resultColumns(results);
  const table = {
    columns: columns.map(({ title, align }) => ({ title, align: align ?? 'left' })),
    rows: results.map((result) => columns.map((column) => column.cell(result))),
  };
  return tableInPage(table, { lead: (row) => html`<span class="swatch series-${row}"></span>`, stacked: true });
}

function posteriorSection(posterior: PosteriorSummary): Markup {
  return html`<section><h2>Distribution of log m (${posterior.optimizer})</h2>
<p class="note">LMD represents each weight as the difference of two positive halves with medians m⁺ and m⁻. The
posterior of each half is log-normal around its median with σ = ${posterior.noise}. The chart shows the distribution of the
medians over all weights, and the log-normal distribution fitted to them (a normal distribution of log m, by maximum
likelihood).</p>
${chartInPage(posteriorChart(posterior))}
<details><summary>By weight</summary>${posteriorTable(posterior)}</details></section>`;
}

/** Unedited texts, the prompt before each. */
function textSection(texts: ReportContent['texts']): Markup {
  return html`<section><h2>Generated texts</h2>${texts.map(
    ({ optimizer, prompt, text }) =>
      html`<figure><figcaption>${optimizer}</figcaption><blockquote><b>${prompt}</b>${text}</blockquote></figure>`,
  )}</section>`;
}

/** The report as one self-contained HTML page with inline styles and charts, and no scripts. */
export function renderReport(content: ReportContent): string {
  const { configuration, results, curves, posteriors, predictions, texts, environment } = content;
  const { name, seed, steps, batchSize } = configuration;
  const isText = results.some(({ tokensPerSecond }) => tokensPerSecond !== undefined);
  const title = `${name}: training report`;
  return page(
    title,
    html`<header><h1>${name}</h1><p class="conclusion">${conclusionOf(results)}</p><p class="lead">${configuration.optimizers.map((optimizer) => `${optimizer.name} with a ${precisionOf(configuration, optimizer)} forward pass`).join(' and ')}, ${steps} steps of ${batchSize} examples. ${environment.date}.</p></header>
<section><h2>Results</h2>${resultTable(results)}
<p class="note">Seconds include training and evaluation of one optimizer. ${isText ? 'Tokens/s' : 'Images/s'} are those of the
training steps only. Peak memory is that of the whole process.</p></section>
<section><h2>Loss</h2>${chartInPage(lossChart(curves))}</section>
<section><h2>Accuracy</h2>${chartInPage(accuracyChart(curves))}</section>
${texts.length === 0 ? undefined : textSection(texts)}
${predictions.map(predictionsSection)}
${measurementSection(curves)}
${posteriors.map(posteriorSection)}
<section><h2>Environment and configuration</h2>${facts([
      ['Seed', String(seed)],
      ['Backend', environment.device],
      ['Model', environment.model],
      ['Data', environment.data],
      ...(environment.preprocessing === undefined ? [] : ([['Preprocessing', environment.preprocessing]] as const)),
      ['Machine', environment.machine],
      ['Node', environment.node],
      ['Versions', environment.versions],
      ['Date', environment.date],
    ])}
<details><summary>Configuration</summary><pre><code>${JSON.stringify(configuration, null, 2)}</code></pre></details></section>`,
  );
}
