import { type Chart, chartInPage, html, lineChart, page, type Series, tableInPage, tableOf } from '@lmd/report';
import { decimal } from '../output/units.js';
import type { RateTestResult } from './analyze-rates.js';
import type { RateRange } from './rate-test.js';

/** The test of one optimizer. */
export interface NamedRateTest extends RateTestResult {
  readonly optimizer: string;
  readonly rule: string;
  /** The learning rate of the configuration. */
  readonly configured: number | undefined;
}

/** The loss by learning rate: each batch faint, the average solid, a diamond at the suggested rate. */
export function rateChart(tests: readonly NamedRateTest[]): Chart {
  const faint = tests.map(({ points }, color): Series => {
    return { style: 'faint', color, points: points.map(({ rate, loss }) => ({ x: rate, y: loss })) };
  });
  const averaged = tests.flatMap(({ optimizer, points, suggested }, color): Series[] => {
    const at = points.filter(({ rate }) => suggested !== undefined && rate >= 0.999 * suggested).slice(0, 1);
    return [
      {
        name: `${optimizer} (diamond: suggested rate)`,
        color,
        points: points.map(({ rate, smoothed }) => ({ x: rate, y: smoothed })),
      },
      { style: 'star', color, points: at.map(({ rate, smoothed }) => ({ x: rate, y: smoothed })) },
    ];
  });
  return lineChart({
    label: 'Loss by learning rate',
    x: { title: 'learning rate (log scale)', scale: 'log', format: powers },
    y: { title: 'training loss (nats)' },
    series: [...faint, ...averaged],
  });
}

/** Every power of ten and nothing between: a test spans many. */
function powers(rate: number): string {
  const exponent = Math.log10(rate);
  return Math.abs(exponent - Math.round(exponent)) < 1e-9 ? rate.toExponential(0).replace('e+', 'e') : '';
}

const titles = ['optimizer', 'suggested rate', 'in the configuration', 'lowest loss', 'at rate', 'diverges at'];

/** A row per optimizer, in the terminal and in the page. */
export function rateRows(tests: readonly NamedRateTest[]): {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const rows = tests.map(({ optimizer, suggested, configured, lowest, divergedAt }) => [
    optimizer,
    suggested === undefined ? 'none: the loss never falls' : String(suggested),
    configured === undefined ? '' : String(configured),
    lowest.loss.toFixed(4),
    decimal(lowest.rate),
    divergedAt === undefined ? 'does not' : decimal(divergedAt),
  ]);
  return { titles, rows };
}

export function renderRateTest(name: string, tests: readonly NamedRateTest[], { from, to, steps }: RateRange): string {
  const { rows } = rateRows(tests);
  return page(
    `${name}: learning-rate range test`,
    html`<header><h1>${name}: learning-rate range test</h1>
<p class="lead">${steps} steps per optimizer, with the learning rate rising from ${from} to ${to} in equal factors.</p></header>
<section><h2>Rates</h2>${tableInPage(tableOf(titles, rows), { stacked: true })}
<p class="note">The suggested rate is where the averaged loss falls fastest, in the two decades below the rate of the lowest loss. It is a starting point: a longer run with
warm-up and decay often takes a higher one, up to the rate of the lowest loss.</p></section>
<section><h2>Loss by learning rate</h2>${chartInPage(rateChart(tests))}</section>`,
  );
}
