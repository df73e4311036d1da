import { type Chart, lineChart, type Point, type Series } from '@lmd/report';
import { percent } from '../output/units.js';
import { smooth, thin } from './statistics.js';

/** The metrics of one optimizer by step. */
export interface Curve {
  readonly optimizer: string;
  /** Loss of every batch before its update. */
  readonly train: readonly Point[];
  readonly validationLoss: readonly Point[];
  readonly validationAccuracy: readonly Point[];
  readonly testLoss: Point | undefined;
  readonly testAccuracy: Point | undefined;
  /** By diagnostic plugin: its value over all weights. */
  readonly measured: Readonly<Record<string, readonly Point[]>>;
}

const mostPoints = 600;

/** Window of the moving average in steps: a thirtieth of the run, and odd, so that it is centred. */
function smoothingSpan(curve: Curve): number {
  return 2 * Math.round(curve.train.length / 60) + 1;
}

const points = (one: Point | undefined): readonly Point[] => (one === undefined ? [] : [one]);

/** Loss of training batches (faint), their moving average (solid), and validation and test loss (points). */
export function lossChart(curves: readonly Curve[]): Chart {
  const shown = curves.map((curve) => {
    const train = curve.train.filter(({ y }) => Number.isFinite(y) && y > 0);
    const span = smoothingSpan(curve);
    return { ...curve, span, raw: thin(train, mostPoints), smoothed: thin(smooth(train, span), mostPoints) };
  });
  const faint = shown.map(({ raw }, color): Series => ({ style: 'faint', color, points: raw }));
  const others = shown.flatMap(({ optimizer, span, smoothed, validationLoss, testLoss }, color): Series[] => [
    {
      name: `${optimizer}, training (moving average over ${span} steps; faint: each batch)`,
      color,
      points: smoothed,
    },
    {
      name: `${optimizer}, validation (diamond: test)`,
      style: 'dashed',
      markers: true,
      color,
      points: validationLoss,
    },
    { style: 'star', color, points: points(testLoss) },
  ]);
  return lineChart({
    label: 'Loss by optimizer step',
    x: { title: 'optimizer step', from: 0 },
    y: { title: 'cross-entropy (nats, log scale)', scale: 'log' },
    series: [...faint, ...others],
  });
}

/** Accuracy on held-out examples during training, and on the test set at the end. */
export function accuracyChart(curves: readonly Curve[]): Chart {
  const all = curves.flatMap(({ validationAccuracy, testAccuracy }) => [
    ...validationAccuracy,
    ...points(testAccuracy),
  ]);
  const accuracies = all.map(({ y }) => y).filter(Number.isFinite);
  const low = accuracies.reduce((lowest, accuracy) => Math.min(lowest, accuracy), 1);
  return lineChart({
    label: 'Accuracy by optimizer step',
    x: { title: 'optimizer step', from: 0 },
    y: {
      title: 'accuracy (%)',
      domain: [Math.max(0, Math.min(0.95, Math.floor(low * 20) / 20)), 1],
      format: (value) => String(Math.round(1000 * value) / 10),
    },
    series: curves.flatMap(({ optimizer, validationAccuracy, testAccuracy }, color): Series[] => {
      const test = testAccuracy === undefined ? '' : `, ${percent(testAccuracy.y)}`;
      return [
        { name: `${optimizer}, validation (diamond: test${test})`, markers: true, color, points: validationAccuracy },
        { style: 'star', color, points: points(testAccuracy) },
      ];
    }),
  });
}
