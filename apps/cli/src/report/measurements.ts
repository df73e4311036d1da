import { chartInPage, html, lineChart, type Markup, type Point } from '@lmd/report';
import type { Json } from '@lmd/training';
import { mean } from 'd3-array';
import type { ProductNoise } from '../trial/product-noise.js';
import type { Curve } from './curves.js';

interface Measurement {
  readonly title: string;
  readonly unit: string;
  /** The value of a report that is plotted. The metrics have the values per weight. */
  number(data: Json): unknown;
}

const field = (data: unknown, ...path: readonly string[]): unknown =>
  path.reduce((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], data);

/** Mean over the products of activations and weights, in the first measured format. */
function meanSignalToNoise(products: unknown): number | undefined {
  const decibels = (products as readonly ProductNoise[])
    .filter(({ product }) => !/attention\.(scores|values)$/.test(product))
    .map(({ formats }) => Object.values(formats)[0]!.signalToNoise);
  return mean(decibels);
}

/** The plotted measurement of each diagnostic plugin, by its name. */
const measurements: Readonly<Record<string, Measurement>> = {
  weightGrowth: {
    title: 'Growth of the weights',
    unit: 'root mean square ÷ initial value',
    number: (data) => field(data, 'all', 'growth'),
  },
  priorBound: {
    title: "Medians at the prior's bound",
    unit: 'fraction of coordinates',
    number: (data) => field(data, 'all'),
  },
  flipRate: {
    title: 'Flips of quantized weights',
    unit: 'fraction of values changed per step',
    number: (data) => field(data, 'all'),
  },
  oscillationRate: {
    title: 'Oscillation of quantized weights',
    unit: 'fraction of values returned per step',
    number: (data) => field(data, 'all'),
  },
  quantizationNoise: {
    title: 'Signal-to-noise ratio of the quantized products',
    unit: 'dB, mean over the products with weights',
    number: (data) => meanSignalToNoise(field(data, 'products')),
  },
  gradientSignal: {
    title: 'Signal-to-noise ratio of the gradients',
    unit: 'signal ÷ noise, of running averages',
    number: (data) => field(data, 'all'),
  },
  diagnostics: {
    title: 'Log-normality of the medians',
    unit: 'Q-Q correlation of log m',
    number: (data) => field(data, 'logMedians', 'quantileCorrelation'),
  },
};

/** The point of one plugin's report; undefined if the report has no plotted value. */
export function measurementPoint(plugin: string, step: number, data: Json): Point | undefined {
  // The name of a third-party plugin can be any string, even `constructor`.
  const y = Object.hasOwn(measurements, plugin) ? measurements[plugin]!.number(data) : undefined;
  return typeof y === 'number' && Number.isFinite(y) ? { x: step, y } : undefined;
}

function chart({ title, unit }: Measurement, plugin: string, curves: readonly Curve[]): Markup {
  const series = curves
    .map(({ optimizer, measured }, color) => ({
      name: optimizer,
      color,
      markers: true,
      points: measured[plugin] ?? [],
    }))
    .filter(({ points }) => points.length > 0);
  const drawn = lineChart({
    label: `${title} by optimizer step`,
    x: { title: 'optimizer step', from: 0 },
    y: { title: unit },
    series,
  });
  return html`<h3>${title}</h3>${chartInPage(drawn)}`;
}

/** A chart for each measurement besides the loss; undefined if there are none. */
export function measurementSection(curves: readonly Curve[]): Markup | undefined {
  const measured = Object.entries(measurements).filter(([plugin]) =>
    curves.some((curve) => (curve.measured[plugin]?.length ?? 0) > 0),
  );
  if (measured.length === 0) return undefined;
  return html`<section><h2>Measurements</h2>${measured.map(([plugin, measurement]) => chart(measurement, plugin, curves))}</section>`;
}
