import { existsSync } from 'node:fs';
import type { Point } from '@lmd/report';
import { type MetricsLine, readMetrics } from '@lmd/training/node';
import type { Curve } from '../report/curves.js';
import { measurementPoint } from '../report/measurements.js';

/**
 * The lines of one optimizer, none if it has not started. Invalid lines, such as those of a damaged disk, are skipped.
 */
export async function metricsOf(path: string): Promise<MetricsLine[]> {
  return existsSync(path) ? (await readMetrics(path)).filter(isLine) : [];
}

/** Fields that the report reads, by the type of a line. */
const fields: Readonly<Record<string, readonly string[]>> = {
  step: ['step', 'loss'],
  evaluation: ['step', 'loss', 'accuracy'],
  report: ['step'],
  end: ['step'],
};

/** Whether it is a line that reports and displays read. */
export function isLine(line: unknown): line is MetricsLine {
  if (typeof line !== 'object' || line === null) return false;
  const record = line as Readonly<Record<string, unknown>>;
  const { type, plugin } = record;
  if (typeof type !== 'string' || !Object.hasOwn(fields, type)) return false;
  if (type === 'report' && typeof plugin !== 'string') return false;
  return fields[type]!.every((field) => typeof record[field] === 'number');
}

/** The curves of one optimizer for the report. */
export function curveOf(optimizer: string, given: readonly MetricsLine[]): Curve {
  const lines = given.filter(isLine);
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
    measured[line.plugin] ??= [];
    measured[line.plugin]!.push(point);
  }
  return measured;
}
