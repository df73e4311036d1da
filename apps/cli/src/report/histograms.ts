import { chartInPage, densityChart, html, type Markup, page } from '@lmd/report';
import type { FileInspection } from '../inspect/inspect-file.js';
import type { TensorSummary } from '../inspect/tensor-summary.js';
import { decimal } from '../output/units.js';
import { normalDensity } from './statistics.js';

/** The histogram of log |w| of one tensor, with the fitted normal distribution (a log-normal of |w|). */
function magnitudeSection({ name, values }: TensorSummary): Markup {
  const { mean, standardDeviation, count, histogram } = values!.logMagnitude!;
  const { minimum: from, width, counts } = histogram;
  const chart = densityChart({
    label: `Distribution of log |w| in ${name}`,
    xTitle: 'log |w| (natural logarithm)',
    histograms: [{ label: 'log |w|', className: 'series-0', histogram: { from, width, counts }, total: count }],
    densities:
      standardDeviation > 0
        ? [
            {
              label: `log-normal fitted to |w|: μ = ${decimal(mean)}, s = ${decimal(standardDeviation)}`,
              className: 'series-0',
              density: (x) => normalDensity(x, mean, standardDeviation),
            },
          ]
        : [],
  });
  return html`<section><h2><code>${name}</code></h2>${chartInPage(chart)}</section>`;
}

/** One self-contained page with the distribution of every tensor of a file that has values. */
export function renderHistograms({ path, kind, tensors }: FileInspection): string {
  const drawn = tensors.filter(({ values }) => (values?.logMagnitude?.count ?? 0) > 1);
  return page(
    path,
    html`<header><h1>${path}</h1><p class="lead">${kind}: distribution of the magnitudes of its weights.</p></header>
${drawn.map(magnitudeSection)}`,
  );
}
