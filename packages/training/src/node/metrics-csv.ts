import { type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Plugin } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { lineFile } from './line-file.js';
import { type MetricsLine, metricsFileOptionTable } from './metrics-file.js';

/** The options of `metricsCsv`, declared once. */
export const metricsCsvOptionTable = {
  /** Path of the file, usually `metrics.csv` in the folder of the run. Required. */
  path: option.text({
    required: true,
    describe: 'Path of the file, usually `metrics.csv` in the folder of the run.',
  }),
  /**
   * Whether a new run may overwrite a file that is not empty. A resumed run always continues its own file. True or
   * false; default false.
   */
  replace: metricsFileOptionTable.replace,
} as const satisfies OptionTable;

export interface MetricsCsvOptions extends OptionsOf<typeof metricsCsvOptionTable> {}

/** Columns of a metrics CSV: a row per step and per evaluation, with empty cells for the others' values. */
export const metricsCsvColumns = [
  'step',
  'epoch',
  'seconds',
  'trainingLoss',
  'validationLoss',
  'validationAccuracy',
  'testLoss',
  'testAccuracy',
] as const;

type Column = (typeof metricsCsvColumns)[number];

const header = metricsCsvColumns.join(',');

/**
 * The row of a line of metrics, without a line break; undefined for reports and the end. Losses are in nats; NaN and
 * infinities are `NaN`, `Infinity` and `-Infinity`.
 */
export function metricsCsvRow(line: MetricsLine): string | undefined {
  const values = valuesOf(line);
  return values && metricsCsvColumns.map((column) => values[column] ?? '').join(',');
}

function valuesOf(line: MetricsLine): Partial<Record<Column, number>> | undefined {
  if (line.type !== 'step' && line.type !== 'evaluation') return undefined;
  const { step, seconds, loss } = line;
  if (line.type === 'step') return { step, epoch: line.epoch, seconds, trainingLoss: loss };
  const { accuracy } = line;
  return line.split === 'test'
    ? { step, seconds, testLoss: loss, testAccuracy: accuracy }
    : { step, seconds, validationLoss: loss, validationAccuracy: accuracy };
}

/**
 * Appends every step and evaluation as a row of comma-separated values. A resumed run first removes the rows after its
 * checkpoint, so that no step is missing or occurs twice.
 *
 * @throws LmdError `RUN_EXISTS` if a new run would overwrite the rows of another; `FILE_SYSTEM`.
 */
export function metricsCsv(options: MetricsCsvOptions): Plugin {
  const { path, replace } = resolveOptions('metricsCsv', metricsCsvOptionTable, options);
  const file = lineFile({ path, replace, header, isKept });
  const write = async (line: MetricsLine) => {
    const row = metricsCsvRow(line);
    if (row !== undefined) await file.append(row);
  };
  return {
    ...pluginMarker,
    name: 'metricsCsv',
    start: (event) => file.start(event),
    step: write,
    evaluate: write,
    close: () => file.close(),
  };
}

/** Whether a row is complete and up to `step`. The test comes after all steps, and runs again. */
function isKept(line: string, step: number): boolean {
  const cells = line.split(',');
  if (cells.length !== metricsCsvColumns.length || !/^\d+$/.test(cells[0]!)) return false;
  return Number(cells[0]) <= step && cells[metricsCsvColumns.indexOf('testLoss')] === '';
}
