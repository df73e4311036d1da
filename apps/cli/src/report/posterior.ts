import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { count, decimal } from '../output/units.js';
import { axes, coordinate, drawing, frame, legend } from './axes.js';
import { html, type Markup } from './html.js';
import type { HalfSummary, PosteriorSummary } from './posterior-summary.js';
import { normalDensity } from './statistics.js';

const samples = 240;

/**
 * Density in log m of the log-normal prior, whose gradient in log m is log(m/m₀): a normal of unit deviation around log m₀,
 * here averaged over the weights, each with its own m₀. The other priors are named and not drawn.
 */
function priorDensity(posterior: PosteriorSummary, logMedian: number): number {
  const elements = posterior.weights.reduce((sum, weight) => sum + weight.elements, 0);
  return posterior.weights.reduce(
    (sum, weight) => sum + (weight.elements / elements) * normalDensity(logMedian, weight.logPriorMedian, 1),
    0,
  );
}

function densityOf({ histogram, count: total }: HalfSummary): number[] {
  return histogram.counts.map((value) => value / (total * histogram.width));
}

/** Histograms of log m⁺ and log m⁻, the fitted normals (log-normals of m), the prior, and the prior's medians. */
export function posteriorChart(posterior: PosteriorSummary): Markup {
  const { histogram } = posterior.plus;
  const from = histogram.from;
  const to = from + histogram.width * histogram.counts.length;
  const hasPriorCurve = posterior.regularizer === 'logNormalPrior';
  const grid = Array.from({ length: samples + 1 }, (_, index) => from + ((to - from) * index) / samples);
  const halves = [
    { half: posterior.plus, className: 'plus', symbol: 'm⁺' },
    { half: posterior.minus, className: 'minus', symbol: 'm⁻' },
  ];
  const fits = halves.map(({ half }) => grid.map((value) => normalDensity(value, half.mean, half.standardDeviation)));
  const prior = hasPriorCurve ? grid.map((value) => priorDensity(posterior, value)) : [];
  const most = Math.max(...halves.flatMap(({ half }) => densityOf(half)), ...fits.flat(), ...prior);
  const x = scaleLinear([from, to], [frame.left, frame.width - frame.right]);
  const y = scaleLinear([0, most * 1.05], [frame.height - frame.bottom, frame.top]);
  const curve = (densities: readonly number[]) =>
    line<number>(
      (_, index) => x(grid[index]!),
      (density) => y(density),
    ).digits(2)([...densities]) ?? '';
  const outline = (half: HalfSummary) => {
    const points = densityOf(half).map((density, bin) => {
      const left = coordinate(x(from + bin * histogram.width));
      const right = coordinate(x(from + (bin + 1) * histogram.width));
      return `L${left} ${coordinate(y(density))}L${right} ${coordinate(y(density))}`;
    });
    return `M${coordinate(x(from))} ${coordinate(y(0))}${points.join('')}L${coordinate(x(to))} ${coordinate(y(0))}Z`;
  };
  const medians = [...new Set(posterior.weights.map((weight) => coordinate(x(weight.logPriorMedian))))];
  const content = html`${axes({ x, y, xTitle: 'log m (natural logarithm of the median)', yTitle: 'density', xTicks: 10 })}
${halves.map(({ half, className }) => html`<path class="area ${className}" d="${outline(half)}"/>`)}
${halves.map(({ className }, index) => html`<path class="line ${className}" d="${curve(fits[index]!)}"/>`)}
${hasPriorCurve ? html`<path class="line dashed prior" d="${curve(prior)}"/>` : undefined}
${medians.map((at) => html`<path class="prior-median" d="M${at} ${frame.height - frame.bottom}l-5 -9h10Z"/>`)}`;
  return html`${legend([
    ...halves.flatMap(({ half, className, symbol }) => [
      { label: `log ${symbol}, all weights of LMD`, className, kind: 'area' as const },
      {
        label: `log-normal fitted to ${symbol}: μ = ${decimal(half.mean)}, s = ${decimal(half.standardDeviation)}`,
        className,
        kind: 'line' as const,
      },
    ]),
    ...(hasPriorCurve
      ? [{ label: 'prior: log-normal, s = 1, averaged over the weights', className: 'prior', kind: 'dashed' as const }]
      : []),
    {
      label: `medians log m₀ of the prior (${posterior.regularizer}, λ = ${posterior.regularization})`,
      className: 'prior-median',
      kind: 'triangle' as const,
    },
  ])}${drawing('Distribution of log m', content)}`;
}

/** Fitted parameters of each weight, beside its prior. */
export function posteriorTable(posterior: PosteriorSummary): Markup {
  return html`<div class="scroll"><table><thead><tr><th>weight</th><th class="number">elements</th><th class="number">log m₀</th><th class="number">μ of log m⁺</th><th class="number">s of log m⁺</th><th class="number">μ of log m⁻</th><th class="number">s of log m⁻</th></tr></thead><tbody>${posterior.weights.map(
    ({ name, elements, logPriorMedian, plus, minus }) =>
      html`<tr><td><code>${name}</code></td><td class="number">${count(elements)}</td><td class="number">${decimal(logPriorMedian)}</td><td class="number">${decimal(plus.mean)}</td><td class="number">${decimal(plus.standardDeviation)}</td><td class="number">${decimal(minus.mean)}</td><td class="number">${decimal(minus.standardDeviation)}</td></tr>`,
  )}</tbody></table></div>`;
}
