import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import type { FileInspection } from '../inspect/inspect-file.js';
import type { TensorSummary } from '../inspect/tensor-summary.js';
import { decimal } from '../output/units.js';
import { axes, coordinate, drawing, frame, legend } from './axes.js';
import { html, Markup } from './html.js';
import { normalDensity } from './statistics.js';
import { style } from './style.js';

const samples = 200;

/** The histogram of log |w| of one tensor, and the normal law fitted to it: a log-normal of |w|. */
function magnitudeChart({ name, values }: TensorSummary): Markup {
  const { mean, standardDeviation, count, histogram } = values!.logMagnitude!;
  const { minimum: from, width, counts } = histogram;
  const to = from + width * counts.length;
  const densities = counts.map((inBin) => inBin / (count * width));
  const grid = Array.from({ length: samples + 1 }, (_, index) => from + ((to - from) * index) / samples);
  const fit = standardDeviation > 0 ? grid.map((at) => normalDensity(at, mean, standardDeviation)) : [];
  const x = scaleLinear([from, to], [frame.left, frame.width - frame.right]);
  const y = scaleLinear([0, 1.05 * Math.max(...densities, ...fit)], [frame.height - frame.bottom, frame.top]);
  const steps = densities.map((density, bin) => {
    const [left, right] = [coordinate(x(from + bin * width)), coordinate(x(from + (bin + 1) * width))];
    return `L${left} ${coordinate(y(density))}L${right} ${coordinate(y(density))}`;
  });
  const outline = `M${coordinate(x(from))} ${coordinate(y(0))}${steps.join('')}L${coordinate(x(to))} ${coordinate(y(0))}Z`;
  const curve = line<number>(
    (_, index) => x(grid[index]!),
    (density) => y(density),
  ).digits(2)(fit);
  const fitted = `log-normal fitted to |w|: μ = ${decimal(mean)}, s = ${decimal(standardDeviation)}`;
  return html`<section><h2><code>${name}</code></h2>${legend([
    { label: 'log |w|', className: 'plus', kind: 'area' },
    { label: fitted, className: 'plus', kind: 'line' },
  ])}${drawing(
    `Distribution of log |w| in ${name}`,
    html`${axes({ x, y, xTitle: 'log |w| (natural logarithm)', yTitle: 'density', xTicks: 10 })}
<path class="area plus" d="${outline}"/>${curve === null ? undefined : html`<path class="line plus" d="${curve}"/>`}`,
  )}</section>`;
}

/** One page with the distribution of every tensor of a file that has values. Nothing is fetched. */
export function renderHistograms({ path, kind, tensors }: FileInspection): string {
  const drawn = tensors.filter(({ values }) => (values?.logMagnitude?.count ?? 0) > 1);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${path}</title><style>${new Markup(style)}</style></head><body><main>
<header><h1>${path}</h1><p class="lead">${kind}: how the magnitudes of its weights are distributed.</p></header>
${drawn.map(magnitudeChart)}
</main></body></html>
`.text;
}
