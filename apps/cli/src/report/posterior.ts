import { type Chart, densityChart, type Markup, tableInPage, tableOf } from '@lmd/report';
import { count, decimal } from '../output/units.js';
import type { PosteriorSummary } from './posterior-summary.js';
import { normalDensity } from './statistics.js';

/**
 * Density in log m of the log-normal prior, whose gradient in log m is log(m/m₀): a normal distribution with unit
 * standard deviation around log m₀, here averaged over the weights, each with its own m₀. Other priors are named but
 * not plotted.
 */
function priorDensity(posterior: PosteriorSummary, logMedian: number): number {
  const elements = posterior.weights.reduce((sum, weight) => sum + weight.elements, 0);
  return posterior.weights.reduce(
    (sum, weight) => sum + (weight.elements / elements) * normalDensity(logMedian, weight.logPriorMedian, 1),
    0,
  );
}

/** Histograms of log m⁺ and log m⁻, the fitted normals (log-normals of m), the prior, and the prior's medians. */
export function posteriorChart(posterior: PosteriorSummary): Chart {
  const halves = [
    { half: posterior.plus, className: 'series-0', symbol: 'm⁺' },
    { half: posterior.minus, className: 'series-1', symbol: 'm⁻' },
  ];
  const fits = halves.map(({ half, className, symbol }) => ({
    label: `log-normal fitted to ${symbol}: μ = ${decimal(half.mean)}, s = ${decimal(half.standardDeviation)}`,
    className,
    density: (logMedian: number) => normalDensity(logMedian, half.mean, half.standardDeviation),
  }));
  const prior = {
    label: 'prior: log-normal, s = 1, averaged over the weights',
    className: 'prior',
    style: 'dashed' as const,
    density: (logMedian: number) => priorDensity(posterior, logMedian),
  };
  return densityChart({
    label: 'Distribution of log m',
    xTitle: 'log m (natural logarithm of the median)',
    histograms: halves.map(({ half, className, symbol }) => ({
      label: `log ${symbol}, all weights of LMD`,
      className,
      histogram: half.histogram,
      total: half.count,
    })),
    densities: [...fits, ...(posterior.regularizer === 'logNormalPrior' ? [prior] : [])],
    marks: {
      label: `medians log m₀ of the prior (${posterior.regularizer}, λ = ${posterior.regularization})`,
      className: 'prior',
      at: [...new Set(posterior.weights.map((weight) => weight.logPriorMedian))],
    },
  });
}

/** Fitted parameters and prior of each weight. */
export function posteriorTable(posterior: PosteriorSummary): Markup {
  const titles = ['weight', 'elements', 'log m₀', 'μ of log m⁺', 's of log m⁺', 'μ of log m⁻', 's of log m⁻'];
  const rows = posterior.weights.map(({ name, elements, logPriorMedian, plus, minus }) => [
    `\`${name}\``,
    count(elements),
    ...[logPriorMedian, plus.mean, plus.standardDeviation, minus.mean, minus.standardDeviation].map(decimal),
  ]);
  return tableInPage(tableOf(titles, rows), { stacked: true });
}
