import { type FileHandle, open, readFile } from 'node:fs/promises';
import { LmdError } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { StartEvent } from '../events.js';
import { hasCode, withFileErrors } from './file-errors.js';

/** A log of a run as lines of text, which a resumed run continues. */
export interface LineFile {
  /** Opens the file: empty with the header for a new run; for a resumed one with the lines up to its step. */
  start(event: Pick<StartEvent, 'startStep' | 'resumedFrom'>): Promise<void>;
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

export interface LineFileOptions {
  readonly path: string;
  /** Whether a new run may overwrite a file that is not empty. */
  readonly replace: boolean;
  /** First line of a new file. */
  readonly header?: string;
  /** Whether a line belongs to the run up to this step. The header is always kept. */
  isKept(line: string, step: number): boolean;
}

/** @throws LmdError `RUN_EXISTS` if a new run would overwrite the lines of another; `FILE_SYSTEM`. */
export function lineFile({ path, replace, header, isKept }: LineFileOptions): LineFile {
  const first = header === undefined ? '' : `${header}\n`;
  let file: FileHandle | undefined;
  const keptOf = (text: string, step: number) => {
    const kept = text.split('\n').filter((line) => line !== header && isKept(line, step));
    return first + kept.map((line) => `${line}\n`).join('');
  };
  return {
    async start({ startStep, resumedFrom }) {
      const existing = await withFileErrors('read', path, () => readIfThere(path));
      const isResumed = resumedFrom !== undefined || startStep > 0;
      if (existing !== '' && !isResumed && !replace) {
        throw new LmdError('RUN_EXISTS', `${path} has the metrics of another run.`, {
          subject: path,
          remedy: 'Use another folder, or resume that run.',
        });
      }
      const kept = isResumed ? keptOf(existing, startStep) : first;
      await withFileErrors('write', path, async () => {
        if (kept !== existing) await writeFileAtomic(path, kept);
        file = await open(path, 'a');
      });
    },
    // Unbuffered, so that all lines before a checkpoint have reached the operating system when it is written.
    append: (line) => withFileErrors('write', path, () => file!.appendFile(`${line}\n`)),
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
