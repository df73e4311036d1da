import { readFile } from 'node:fs/promises';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { EndEvent, EvaluationEvent, ReportEvent, StepEvent } from '../events.js';
import { fromJson, toJson } from '../json.js';
import type { Plugin } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { withFileErrors } from './file-errors.js';
import { lineFile } from './line-file.js';

/** A line of the file: an unchanged event. */
export type MetricsLine = StepEvent | EvaluationEvent | ReportEvent | EndEvent;

/** The options of `metricsFile`, declared once. */
export const metricsFileOptionTable = {
  /** Path of the file, usually `metrics.jsonl` in the folder of the run. Required. */
  path: option.text({
    required: true,
    describe: 'Path of the file, usually `metrics.jsonl` in the folder of the run.',
  }),
  /**
   * Whether a new run may overwrite a file that is not empty. A resumed run always continues its own file. True or
   * false; default false.
   */
  replace: option.boolean({
    default: false,
    describe: 'Whether a new run may overwrite a file that is not empty. A resumed run always continues its own file.',
  }),
} as const satisfies OptionTable;

export interface MetricsFileOptions extends OptionsOf<typeof metricsFileOptionTable> {}

/**
 * Appends every step, evaluation, report and the end as a JSON line; NaN and infinities are strings. A resumed run
 * first removes the lines after its checkpoint, so that the file equals that of an uninterrupted run, except for times.
 *
 * @throws LmdError `RUN_EXISTS` if a new run would overwrite the lines of another; `FILE_SYSTEM`.
 */
export function metricsFile(options: MetricsFileOptions): Plugin {
  const { path, replace } = resolveOptions('metricsFile', metricsFileOptionTable, options);
  const file = lineFile({ path, replace, isKept });
  const write = (line: MetricsLine) => file.append(toJson(line));
  return {
    ...pluginMarker,
    name: 'metricsFile',
    start: (event) => file.start(event),
    step: write,
    evaluate: write,
    report: write,
    end: write,
    close: () => file.close(),
  };
}

/** Whether a line is complete and up to `step`. The test evaluation and the end come after all steps. */
function isKept(line: string, step: number): boolean {
  const parsed = parseLine(line);
  const isPast = parsed === undefined || parsed.step > step || parsed.type === 'end';
  return !isPast && !(parsed.type === 'evaluation' && parsed.split === 'test');
}

/** The required numbers of each type of line. */
const numbers = {
  step: ['epoch', 'position', 'loss', 'samples', 'seconds'],
  evaluation: ['loss', 'accuracy', 'perplexity', 'examples', 'seconds'],
  report: [],
  end: ['seconds'],
} as const satisfies { readonly [type in MetricsLine['type']]: readonly string[] };

/** Undefined for an invalid line, such as one that was truncated when the process ended. */
function parseLine(line: string): MetricsLine | undefined {
  let parsed: Record<string, unknown> | null;
  try {
    parsed = fromJson(line) as Record<string, unknown> | null;
  } catch {
    return undefined;
  }
  const type = parsed?.type;
  if (typeof type !== 'string' || !Object.hasOwn(numbers, type)) return undefined;
  if (!Number.isSafeInteger(parsed!.step) || (parsed!.step as number) < 0) return undefined;
  for (const name of numbers[type as MetricsLine['type']]) {
    // Older versions wrote NaN as null.
    if (parsed![name] === null) parsed![name] = Number.NaN;
    if (typeof parsed![name] !== 'number') return undefined;
  }
  return parsed as unknown as MetricsLine;
}

/**
 * Reads the lines of a metrics file, with NaN and infinities as numbers. A truncated last line is omitted.
 *
 * @throws LmdError `FILE_SYSTEM`; `DATA_CORRUPT` naming a complete line that is not a valid line of metrics.
 */
export async function readMetrics(path: string): Promise<MetricsLine[]> {
  return parseMetrics(await withFileErrors('read', path, () => readFile(path, 'utf8')), path);
}

export function parseMetrics(text: string, path: string): MetricsLine[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = parseLine(line);
    if (parsed !== undefined) return parsed;
    // Without a newline, the line is incomplete.
    if (index === lines.length - 1) return [];
    throw new LmdError('DATA_CORRUPT', `${path}: line ${index + 1} is not a valid line of metrics.`, {
      subject: path,
      value: index + 1,
      remedy: 'Resume the run, which rewrites the file from its checkpoint, or remove the line.',
    });
  });
}
