import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, withFileErrors } from './file-errors.js';

/** Name of an unfinished file of `createAtomicFile` of @lmd/safetensors. */
const leftover = /^\..+\.[0-9a-f]{12}\.tmp$/;

/**
 * Removes unfinished files of a process that was killed while writing to the folder. Only the single writer of the
 * folder may call it, because unfinished files of other processes would be removed as well.
 *
 * @throws LmdError `FILE_SYSTEM`.
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const entries = await withFileErrors('list', folder, () =>
    readdir(folder, { withFileTypes: true }).catch((error) => (hasCode(error, 'ENOENT') ? [] : Promise.reject(error))),
  );
  for (const entry of entries) {
    const { name } = entry;
    if (!entry.isFile() || !leftover.test(name)) continue;
    const path = join(folder, name);
    await withFileErrors('remove', path, () => rm(path, { force: true }));
  }
}
