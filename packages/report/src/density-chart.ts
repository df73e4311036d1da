import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import type { Chart } from './chart.js';
import { axes, coordinate, frame, type Scale, xRange, yRange } from './frame.js';
import { html } from './html.js';

/** Counts in equal bins from `from`, each `width` wide. */
export interface Histogram {
  readonly from: number;
  readonly width: number;
  readonly counts: readonly number[];
}

export interface DensityChartOptions {
  readonly label: string;
  readonly xTitle: string;
  /** Histograms over one range, drawn with unit area; `total` includes the values outside the bins. */
  readonly histograms: readonly {
    readonly label: string;
    readonly className: string;
    readonly histogram: Histogram;
    readonly total: number;
  }[];
  /** Densities, as functions of x. */
  readonly densities: readonly {
    readonly label: string;
    readonly className: string;
    readonly style?: 'line' | 'dashed';
    readonly density: (x: number) => number;
  }[];
  /** Triangles on the horizontal axis. */
  readonly marks?: { readonly label: string; readonly className: string; readonly at: readonly number[] };
}

const samples = 240;

function outline({ from, width }: Histogram, heights: readonly number[], x: Scale, y: Scale): string {
  const steps = heights.map((height, bin) => {
    const [left, right] = [from + bin * width, from + (bin + 1) * width].map((value) => coordinate(x(value)));
    return `L${left} ${coordinate(y(height))}L${right} ${coordinate(y(height))}`;
  });
  const to = coordinate(x(from + width * heights.length));
  return `M${coordinate(x(from))} ${coordinate(y(0))}${steps.join('')}L${to} ${coordinate(y(0))}Z`;
}

/** Histograms of a quantity with the densities fitted to it. */
export function densityChart({ label, xTitle, histograms, densities, marks }: DensityChartOptions): Chart {
  const { from, width, counts } = histograms[0]!.histogram;
  const to = from + width * counts.length;
  const grid = Array.from({ length: samples + 1 }, (_, index) => from + ((to - from) * index) / samples);
  const areas = histograms.map(({ histogram, total }) => histogram.counts.map((n) => n / (total * histogram.width)));
  const curves = densities.map(({ density }) => grid.map(density));
  const most = max([...areas, ...curves].flat().filter(Number.isFinite)) ?? 1;
  const x = scaleLinear([from, to], xRange);
  const y = scaleLinear([0, 1.05 * most], yRange);
  const path = line<number>(
    (_, index) => x(grid[index]!),
    (density) => y(density),
  )
    .defined(Number.isFinite)
    .digits(2);
  const base = frame.height - frame.bottom;
  const content = html`${axes(
    x,
    y,
    { title: xTitle, values: x.ticks(10), format: x.tickFormat(10) },
    { title: 'density', values: y.ticks(6), format: y.tickFormat(6) },
  )}
${histograms.map(
  ({ className, histogram }, index) =>
    html`<path class="area ${className}" d="${outline(histogram, areas[index]!, x, y)}"/>`,
)}
${densities.map(
  ({ className, style }, index) =>
    html`<path class="line ${style ?? 'line'} ${className}" d="${path(curves[index]!) ?? ''}"/>`,
)}
${marks?.at.map((at) => html`<path class="triangle ${marks.className}" d="M${coordinate(x(at))} ${base}l-5 -9h10Z"/>`)}`;
  return {
    label,
    content,
    legend: [
      ...histograms.map((each) => ({ label: each.label, className: each.className, kind: 'area' as const })),
      ...densities.map((each) => ({ label: each.label, className: each.className, kind: each.style ?? 'line' })),
      ...(marks === undefined ? [] : [{ label: marks.label, className: marks.className, kind: 'triangle' as const }]),
    ],
  };
}
