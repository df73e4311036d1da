import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { UsageError } from '../errors.js';

/** @throws UsageError `RUN_EXISTS` if there is a file where a command is to write one, without `--force`. */
export function refuseExistingFile(file: string, force: boolean | undefined): void {
  if (force || !existsSync(file)) return;
  throw new UsageError('RUN_EXISTS', `--out ${file} already exists.`, {
    subject: '--out',
    value: file,
    remedy: 'Use another file, or overwrite it with --force.',
  });
}

/** The path of a new model file from `--out`; without an extension, it gets that of safetensors. */
export const modelFile = (out: string): string => resolve(extname(out) === '' ? `${out}.safetensors` : out);
