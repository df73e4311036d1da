import {
  type Chart,
  chartInPage,
  html,
  lineChart,
  markdownTable,
  page,
  type Table,
  tableInPage,
  tableOf,
} from '@lmd/report';
import type { Result } from './train.js';

const title = 'MNIST in TensorFlow.js: Adam and LMD';

function resultsOf(results: readonly Result[]): Table {
  const titles = ['optimizer', 'precision', 'test accuracy', 'test loss', 'seconds', 'processor seconds'];
  const rows = results.map((result) => [
    result.optimizer,
    result.precision,
    `${(100 * result.testAccuracy).toFixed(2)} %`,
    result.testLoss.toFixed(4),
    result.seconds.toFixed(1),
    result.processorSeconds.toFixed(1),
  ]);
  return tableOf(titles, rows, 2);
}

/** Results as an aligned Markdown table, also for the terminal. */
export function resultsTable(results: readonly Result[]): string {
  return markdownTable(resultsOf(results));
}

/** A self-contained page with the loss curves and the table. */
export function reportPage(results: readonly Result[], caption: string): string {
  return page(
    title,
    html`<header><h1>${title}</h1><p class="lead">${caption}</p></header>
<section><h2>Results</h2>${tableInPage(resultsOf(results))}</section>
<section><h2>Training loss</h2>${chartInPage(lossChart(results))}</section>`,
  );
}

/**
 * Training loss of every run by step, as a moving average over a fiftieth of the run. Quantized runs are dashed.
 */
function lossChart(results: readonly Result[]): Chart {
  return lineChart({
    label: 'Training loss by step',
    x: { title: 'step', from: 0 },
    y: { title: 'cross-entropy (nats)', scale: 'log' },
    series: results.map(({ optimizer, precision, losses }) => ({
      name: `${optimizer}, ${precision}`,
      style: precision === 'fp32' ? 'line' : 'dashed',
      points: movingAverage(losses, Math.max(1, Math.round(losses.length / 50))),
    })),
  });
}

function movingAverage(values: readonly number[], span: number) {
  let sum = 0;
  return values.map((value, index) => {
    sum += value - (index >= span ? values[index - span]! : 0);
    return { x: index + 1, y: sum / Math.min(index + 1, span) };
  });
}
