import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, withFileErrors } from './file-errors.js';

/** As `createAtomicFile` of @lmd/safetensors names a file under way. */
const leftover = /^\..+\.[0-9a-f]{12}\.tmp$/;

/**
 * Removes the files under way that a process left in a folder when it was killed as it wrote. Only for the one process
 * that writes there: another's would be removed as well.
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
