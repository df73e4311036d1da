import { type FileHandle, open, readFile } from 'node:fs/promises';
import { LmdError } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { EndEvent, EvaluationEvent, ReportEvent, StepEvent } from '../events.js';
import { refuseUnknownOptions } from '../options.js';
import type { Plugin } from '../plugin.js';
import { hasCode, withFileErrors } from './file-errors.js';

/** A line of the file: the event as it is. */
export type MetricsLine = StepEvent | EvaluationEvent | ReportEvent | EndEvent;

export interface MetricsFileOptions {
  /** Usually `metrics.jsonl` in the run's folder. */
  readonly path: string;
  /** Whether a run from the start may replace a file that has lines in it. A resumed run always goes on with its own. Default false. */
  readonly replace?: boolean;
}

/**
 * Appends every step, evaluation and report, and the end, as a JSON line. A resumed run first removes the lines beyond its
 * checkpoint, so that its file is that of an uninterrupted run, times apart.
 *
 * @throws LmdError `RUN_EXISTS` when a new run would write over another's lines; `FILE_SYSTEM`.
 */
export function metricsFile(options: MetricsFileOptions): Plugin {
  refuseUnknownOptions('metricsFile', options, ['path', 'replace']);
  const { path, replace = false } = options;
  let file: FileHandle | undefined;
  const write = async (line: MetricsLine) => {
    // Unbuffered: when a checkpoint is written, the lines before it are with the operating system.
    await withFileErrors('write', path, () => file!.appendFile(`${JSON.stringify(line)}\n`));
  };
  return {
    name: 'metricsFile',
    async start({ startStep, resumedFrom }) {
      const existing = await withFileErrors('read', path, () => readIfThere(path));
      const isResumed = resumedFrom !== undefined || startStep > 0;
      if (existing !== '' && !isResumed && !replace) {
        throw new LmdError('RUN_EXISTS', `${path} holds the metrics of another run.`, {
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

/** The whole lines that the run had written when it was at `step`. The test evaluation and the end come after all steps. */
function linesUpTo(text: string, step: number): string {
  const kept = text.split('\n').filter((line) => {
    const parsed = parseLine(line);
    const isPast = parsed === undefined || parsed.step > step || parsed.type === 'end';
    return !isPast && !(parsed.type === 'evaluation' && parsed.split === 'test');
  });
  return kept.map((line) => `${line}\n`).join('');
}

/** Undefined for a line that is empty or was cut when the process ended. */
function parseLine(line: string): MetricsLine | undefined {
  try {
    return JSON.parse(line) as MetricsLine;
  } catch {
    return undefined;
  }
}

/** The lines of a metrics file; one that was cut when the process ended is left out. */
export async function readMetrics(path: string): Promise<MetricsLine[]> {
  const text = await withFileErrors('read', path, () => readFile(path, 'utf8'));
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
