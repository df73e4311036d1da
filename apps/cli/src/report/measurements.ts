import type { Json } from '@lmd/training';
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { axes, coordinate, drawing, frame, legend } from './axes.js';
import type { Curve } from './curves.js';
import { html, type Markup } from './html.js';
import { extent, type Point } from './statistics.js';

interface Measurement {
  readonly title: string;
  readonly unit: string;
  /** The one number of a report that is drawn; the metrics have them weight by weight. */
  number(data: Json): unknown;
}

const field = (data: unknown, ...path: readonly string[]): unknown =>
  path.reduce((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], data);

/** What is drawn of each diagnostic plugin, by its name. */
const measurements: Readonly<Record<string, Measurement>> = {
  weightGrowth: {
    title: 'Growth of the weights',
    unit: 'root mean square ÷ that at the start',
    number: (data) => field(data, 'all', 'growth'),
  },
  priorBound: {
    title: "Medians at the prior's bound",
    unit: 'share of coordinates',
    number: (data) => field(data, 'all'),
  },
  flipRate: {
    title: 'Flips of quantized weights',
    unit: 'share of values a step changes',
    number: (data) => field(data, 'all'),
  },
  gradientSignal: {
    title: 'Signal of the gradients',
    unit: 'signal ÷ noise, of running averages',
    number: (data) => field(data, 'all'),
  },
  diagnostics: {
    title: 'Log-normality of the medians',
    unit: "correlation of log m's quantile plot",
    number: (data) => field(data, 'logMedians', 'quantileCorrelation'),
  },
};

/** The points of one plugin's reports; none where it says nothing that is drawn. */
export function measurementPoint(plugin: string, step: number, data: Json): Point | undefined {
  // A name of a plugin that is not ours may be any, `constructor` too.
  const y = Object.hasOwn(measurements, plugin) ? measurements[plugin]!.number(data) : undefined;
  return typeof y === 'number' && Number.isFinite(y) ? { x: step, y } : undefined;
}

const path = line<Point>(
  ({ x }) => x,
  ({ y }) => y,
).digits(2);

function chart({ title, unit }: Measurement, plugin: string, curves: readonly Curve[]): Markup {
  const series = curves
    .map(({ optimizer, measured }, index) => ({ optimizer, index, points: measured[plugin] ?? [] }))
    .filter(({ points }) => points.length > 0);
  const everything = series.flatMap(({ points }) => points);
  const [, steps] = extent([[0], everything.map(({ x }) => x)]);
  const [low, high] = extent([everything.map(({ y }) => y)]);
  const room = 0.05 * (high - low || Math.abs(high) || 1);
  const x = scaleLinear([0, steps], [frame.left, frame.width - frame.right]);
  const y = scaleLinear([low - room, high + room], [frame.height - frame.bottom, frame.top]);
  const content = html`${axes({ x, y, xTitle: 'optimizer step', yTitle: unit })}${series.map(
    ({ points, index }) =>
      html`<path class="line series-${index}" d="${path(points.map((point) => ({ x: x(point.x), y: y(point.y) }))) ?? ''}"/>${points.map(
        (point) =>
          html`<circle class="point series-${index}" cx="${coordinate(x(point.x))}" cy="${coordinate(y(point.y))}" r="3"><title>step ${point.x}: ${point.y.toPrecision(4)}</title></circle>`,
      )}`,
  )}`;
  const entries = series.map(({ optimizer, index }) => ({
    label: optimizer,
    className: `series-${index}`,
    kind: 'line' as const,
  }));
  return html`<h3>${title}</h3>${legend(entries)}${drawing(`${title} by optimizer step`, content)}`;
}

/** A drawing for each thing that was measured beside the loss; nothing where nothing was. */
export function measurementSection(curves: readonly Curve[]): Markup | undefined {
  const measured = Object.entries(measurements).filter(([plugin]) =>
    curves.some((curve) => (curve.measured[plugin]?.length ?? 0) > 0),
  );
  if (measured.length === 0) return undefined;
  return html`<section><h2>Measurements</h2>${measured.map(([plugin, measurement]) => chart(measurement, plugin, curves))}</section>`;
}
