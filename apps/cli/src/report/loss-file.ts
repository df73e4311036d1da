import { chartFile } from '@lmd/report';
import { type LossCurve, lossChart } from './curves.js';

/**
 * The report's loss chart as an SVG file of its own, with its style and its legend inside, for a page that shows several runs: the
 * loss of training batches, their moving average, and validation and test loss.
 *
 * @param curves one for each optimizer, with losses in nats by optimizer step.
 */
export function renderLossCurves(curves: readonly LossCurve[]): string {
  return chartFile(lossChart(curves));
}
