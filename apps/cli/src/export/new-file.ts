import { existsSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
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

/**
 * The path of a new model file from `--out`; without an extension, it gets that of safetensors.
 *
 * @throws UsageError `INVALID_ARGUMENT` for a folder, beside which the file would be.
 */
export function modelFile(out: string): string {
  if (/[/\\]$/.test(out) || statSync(out, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError('INVALID_ARGUMENT', `--out ${out} is a folder.`, {
      subject: '--out',
      value: out,
      remedy: `Use the path of a file, such as ${join(out, 'model.safetensors')}.`,
    });
  }
  return resolve(extname(out) === '' ? `${out}.safetensors` : out);
}
