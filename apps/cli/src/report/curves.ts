import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { percent } from '../output/units.js';
import { axes, coordinate, drawing, frame, type LegendEntry, legend } from './axes.js';
import { html, type Markup } from './html.js';
import { extent, type Point, smooth, thin } from './statistics.js';

/** One rule's way through training. */
export interface Curve {
  readonly optimizer: string;
  /** Loss of every batch before its update. */
  readonly train: readonly Point[];
  readonly validationLoss: readonly Point[];
  readonly validationAccuracy: readonly Point[];
  readonly testLoss: Point | undefined;
  readonly testAccuracy: Point | undefined;
  /** By diagnostic plugin: what it reported of all weights. */
  readonly measured: Readonly<Record<string, readonly Point[]>>;
}

const mostPoints = 600;

const path = line<Point>(
  ({ x }) => x,
  ({ y }) => y,
).digits(2);

function finite(points: readonly Point[]): Point[] {
  return points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
}

/** 1, 2 and 5 times powers of ten within the domain; where those are few, all multiples. */
function logTicks([low, high]: readonly [number, number], factors = [1, 2, 5]): number[] {
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++) {
    for (const factor of factors) {
      const value = Number(`${factor}e${exponent}`);
      if (value >= low && value <= high) ticks.push(value);
    }
  }
  return ticks.length < 3 && factors.length < 9 ? logTicks([low, high], [1, 2, 3, 4, 5, 6, 7, 8, 9]) : ticks;
}

/** Averages over this many steps: a thirtieth of the run, and odd, to have a middle. */
function smoothingSpan(curve: LossCurve): number {
  return 2 * Math.round(curve.train.length / 60) + 1;
}

/** What the loss chart shows of a rule. */
export type LossCurve = Pick<Curve, 'optimizer' | 'train' | 'validationLoss' | 'testLoss'>;

/** The keys of the loss chart, and what is drawn within its frame. */
export function lossPlot(curves: readonly LossCurve[]): {
  readonly keys: readonly LegendEntry[];
  readonly content: Markup;
} {
  const shown = curves.map((curve) => {
    const train = finite(curve.train).filter(({ y }) => y > 0);
    return {
      raw: thin(train, mostPoints),
      smoothed: thin(smooth(train, smoothingSpan(curve)), mostPoints),
      validation: finite(curve.validationLoss).filter(({ y }) => y > 0),
      test: finite(curve.testLoss === undefined ? [] : [curve.testLoss]).filter(({ y }) => y > 0),
    };
  });
  const everything = shown.flatMap(({ raw, validation, test }) => [...raw, ...validation, ...test]);
  const [, steps] = extent([[0], everything.map(({ x }) => x)]);
  const lossRange = extent([everything.map(({ y }) => y)]);
  const domain: [number, number] = [Math.max(lossRange[0], 1e-9) / 1.15, lossRange[1] * 1.15];
  const x = scaleLinear([0, steps], [frame.left, frame.width - frame.right]);
  const y = scaleLog(domain, [frame.height - frame.bottom, frame.top]);
  const place = (points: readonly Point[]) => path(points.map((point) => ({ x: x(point.x), y: y(point.y) }))) ?? '';
  const mark = (points: readonly Point[], className: string, radius: number) =>
    points.map(
      (point) =>
        html`<circle class="point ${className}" cx="${coordinate(x(point.x))}" cy="${coordinate(y(point.y))}" r="${radius}"><title>step ${point.x}: ${point.y.toFixed(4)}</title></circle>`,
    );
  const content = html`${axes({
    x,
    y,
    xTitle: 'optimizer step',
    yTitle: 'cross-entropy (nats, log scale)',
    yTickValues: logTicks(domain),
    formatY: String,
  })}${shown.map(({ raw }, index) => html`<path class="line faint series-${index}" d="${place(raw)}"/>`)}
${shown.map(
  ({ smoothed, validation, test }, index) =>
    html`<path class="line series-${index}" d="${place(smoothed)}"/><path class="line dashed series-${index}" d="${place(validation)}"/>${mark(validation, `series-${index}`, 3)}${test.map(
      (point) =>
        html`<path class="star series-${index}" d="M0-7L7 0L0 7L-7 0Z" transform="translate(${coordinate(x(point.x))} ${coordinate(y(point.y))})"><title>test loss ${point.y.toFixed(4)}</title></path>`,
    )}`,
)}`;
  const keys = curves.flatMap((curve, index) => [
    {
      label: `${curve.optimizer}, training (moving average over ${smoothingSpan(curve)} steps; faint: each batch)`,
      className: `series-${index}`,
      kind: 'line' as const,
    },
    { label: `${curve.optimizer}, validation (diamond: test)`, className: `series-${index}`, kind: 'dashed' as const },
  ]);
  return { keys, content };
}

/** Loss of training batches (faint), their moving average (solid), and validation and test loss (points). */
export function lossChart(curves: readonly LossCurve[]): Markup {
  const { keys, content } = lossPlot(curves);
  return html`${legend(keys)}${drawing('Loss by optimizer step', content)}`;
}

/** Accuracy on held-out examples during training, and on the test set at the end. */
export function accuracyChart(curves: readonly Curve[]): Markup {
  const shown = curves.map((curve) => ({
    validation: finite(curve.validationAccuracy),
    test: finite(curve.testAccuracy === undefined ? [] : [curve.testAccuracy]),
  }));
  const everything = shown.flatMap(({ validation, test }) => [...validation, ...test]);
  const [, steps] = extent([[0], everything.map((point) => point.x)]);
  const [low] = extent([everything.map((point) => point.y)]);
  const x = scaleLinear([0, steps], [frame.left, frame.width - frame.right]);
  const y = scaleLinear([Math.max(0, Math.floor(low * 20) / 20), 1], [frame.height - frame.bottom, frame.top]);
  const place = (points: readonly Point[]) => path(points.map((point) => ({ x: x(point.x), y: y(point.y) }))) ?? '';
  const content = html`${axes({
    x,
    y,
    xTitle: 'optimizer step',
    yTitle: 'accuracy (%)',
    formatY: (value) => String(Math.round(1000 * value) / 10),
  })}${shown.map(
    ({ validation, test }, index) =>
      html`<path class="line series-${index}" d="${place(validation)}"/>${validation.map(
        (point) =>
          html`<circle class="point series-${index}" cx="${coordinate(x(point.x))}" cy="${coordinate(y(point.y))}" r="3"><title>step ${point.x}: ${percent(point.y)}</title></circle>`,
      )}${test.map(
        (point) =>
          html`<path class="star series-${index}" d="M0-7L7 0L0 7L-7 0Z" transform="translate(${coordinate(x(point.x))} ${coordinate(y(point.y))})"><title>test ${percent(point.y)}</title></path>`,
      )}`,
  )}`;
  return html`${legend(
    curves.map((curve, index) => ({
      label: `${curve.optimizer}, validation (diamond: test${curve.testAccuracy === undefined ? '' : `, ${percent(curve.testAccuracy.y)}`})`,
      className: `series-${index}`,
      kind: 'line' as const,
    })),
  )}${drawing('Accuracy by optimizer step', content)}`;
}
