import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withFileErrors } from '@lmd/training/node';
import { UsageError } from '../errors.js';

/** @throws UsageError `RUN_EXISTS` if something has the path of a folder that a command is to write. */
export function refuseExisting(folder: string): void {
  if (!existsSync(folder)) return;
  throw new UsageError('RUN_EXISTS', `--out ${folder} already exists.`, {
    subject: '--out',
    value: folder,
    remedy: 'Use the path of a new folder.',
  });
}

/**
 * Writes a folder at once: `write` fills a temporary one beside it, which then gets its name. After a failure nothing
 * is left.
 *
 * @throws UsageError `RUN_EXISTS` if the folder exists.
 */
export async function writeNewFolder<T>(folder: string, write: (temporary: string) => Promise<T>): Promise<T> {
  refuseExisting(folder);
  const parent = dirname(folder);
  const temporary = await withFileErrors('make', folder, async () => {
    await mkdir(parent, { recursive: true });
    return mkdtemp(join(parent, `.${basename(folder)}-`));
  });
  try {
    const result = await write(temporary);
    refuseExisting(folder);
    await withFileErrors('make', folder, () => rename(temporary, folder));
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}
