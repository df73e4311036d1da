import { type FileHandle, open, readFile } from 'node:fs/promises';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { EndEvent, EvaluationEvent, ReportEvent, StepEvent } from '../events.js';
import { fromJson, toJson } from '../json.js';
import type { Plugin } from '../plugin.js';
import { hasCode, withFileErrors } from './file-errors.js';

/** A line of the file: the event as it is. */
export type MetricsLine = StepEvent | EvaluationEvent | ReportEvent | EndEvent;

/** The options of `metricsFile`, declared once. */
export const metricsFileOptionTable = {
  /** Usually `metrics.jsonl` in the run's folder. Required. */
  path: option.text({ required: true, describe: "Usually `metrics.jsonl` in the run's folder." }),
  /**
   * Whether a run from the start may replace a file that has lines in it. A resumed run always goes on with its own.
   * True or false; default false.
   */
  replace: option.boolean({
    default: false,
    describe:
      'Whether a run from the start may replace a file that has lines in it. A resumed run always goes on with its own.',
  }),
} as const satisfies OptionTable;

export interface MetricsFileOptions extends OptionsOf<typeof metricsFileOptionTable> {}

/**
 * Appends every step, evaluation and report, and the end, as a JSON line; a NaN or an infinity is a string of its name.
 * A resumed run first removes the lines beyond its checkpoint, so that its file is that of an uninterrupted run, times
 * apart.
 *
 * @throws LmdError `RUN_EXISTS` when a new run would write over another's lines; `FILE_SYSTEM`.
 */
export function metricsFile(options: MetricsFileOptions): Plugin {
  const { path, replace } = resolveOptions('metricsFile', metricsFileOptionTable, options);
  let file: FileHandle | undefined;
  const write = async (line: MetricsLine) => {
    // Unbuffered: when a checkpoint is written, the lines before it are with the operating system.
    await withFileErrors('write', path, () => file!.appendFile(`${toJson(line)}\n`));
  };
  return {
    name: 'metricsFile',
    async start({ startStep, resumedFrom }) {
      const existing = await withFileErrors('read', path, () => readIfThere(path));
      const isResumed = resumedFrom !== undefined || startStep > 0;
      if (existing !== '' && !isResumed && !replace) {
        throw new LmdError('RUN_EXISTS', `${path} has the metrics of another run.`, {
          subject: path,
          remedy: 'Choose another folder, or resume that run.',
        });
      }
      const kept = isResumed ? linesUpTo(existing, startStep) : '';
      await withFileErrors('write', path, async () => {
        if (kept !== existing) await writeFileAtomic(path, kept);
        file = await open(path, 'a');
      });
    },
    step: write,
    evaluate: write,
    report: write,
    end: write,
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

/**
 * The whole lines that the run had written when it was at `step`. The test evaluation and the end come after all steps.
 */
function linesUpTo(text: string, step: number): string {
  const kept = text.split('\n').filter((line) => {
    const parsed = parseLine(line);
    const isPast = parsed === undefined || parsed.step > step || parsed.type === 'end';
    return !isPast && !(parsed.type === 'evaluation' && parsed.split === 'test');
  });
  return kept.map((line) => `${line}\n`).join('');
}

/** The numbers that are in every line of a type. */
const numbers = {
  step: ['epoch', 'position', 'loss', 'samples', 'seconds'],
  evaluation: ['loss', 'accuracy', 'perplexity', 'examples', 'seconds'],
  report: [],
  end: ['seconds'],
} as const satisfies { readonly [type in MetricsLine['type']]: readonly string[] };

/** Undefined for what is no line of metrics, such as one that was cut when the process ended. */
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
    // So files of before had NaN.
    if (parsed![name] === null) parsed![name] = Number.NaN;
    if (typeof parsed![name] !== 'number') return undefined;
  }
  return parsed as unknown as MetricsLine;
}

/**
 * The lines of a metrics file, their numbers as they were, NaN and infinities among them. The last is left out where it
 * was cut when the process ended.
 *
 * @throws LmdError `FILE_SYSTEM`; `DATA_CORRUPT` naming a whole line that is none of a run's metrics.
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
    // Without its newline it is not whole.
    if (index === lines.length - 1) return [];
    throw new LmdError('DATA_CORRUPT', `${path}: line ${index + 1} is not a line of metrics.`, {
      subject: path,
      value: index + 1,
      remedy: 'Resume the run, which rewrites the file from its checkpoint, or remove the line.',
    });
  });
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
