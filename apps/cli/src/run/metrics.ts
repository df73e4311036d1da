import type { Point } from '@lmd/report';
import type { MetricsLine } from '@lmd/training/node';
import type { Curve } from '../report/curves.js';
import { measurementPoint } from '../report/measurements.js';

/** What the report draws of one rule's metrics. */
export function curveOf(optimizer: string, lines: readonly MetricsLine[]): Curve {
  const steps = lines.filter((line) => line.type === 'step');
  const evaluations = lines.filter((line) => line.type === 'evaluation');
  const validation = evaluations.filter(({ split }) => split === 'validation');
  const test = evaluations.filter(({ split }) => split === 'test').at(-1);
  return {
    optimizer,
    train: steps.map(({ step, loss }) => ({ x: step, y: loss })),
    validationLoss: validation.map(({ step, loss }) => ({ x: step, y: loss })),
    validationAccuracy: validation.map(({ step, accuracy }) => ({ x: step, y: accuracy })),
    testLoss: test && { x: test.step, y: test.loss },
    testAccuracy: test && { x: test.step, y: test.accuracy },
    measured: measuredOf(lines),
  };
}

function measuredOf(lines: readonly MetricsLine[]): Record<string, readonly Point[]> {
  const measured: Record<string, Point[]> = {};
  for (const line of lines) {
    if (line.type !== 'report') continue;
    const point = measurementPoint(line.plugin, line.step, line.data);
    if (point === undefined) continue;
    measured[line.plugin] = [...(measured[line.plugin] ?? []), point];
  }
  return measured;
}
