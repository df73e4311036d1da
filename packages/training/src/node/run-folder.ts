import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LmdError } from '@lmd/core';
import { hasCode, withFileErrors } from './file-errors.js';

/**
 * Creates a new folder for a run, `<parent>/<name>-001` and so on, and returns its path. The number is one more than
 * the highest existing one. Two simultaneous processes get two folders, since creation is atomic.
 *
 * @throws LmdError `FILE_SYSTEM`, naming the path.
 */
export async function createRunFolder(parent: string, name: string): Promise<string> {
  return withFileErrors('create a run folder in', parent, async () => {
    await mkdir(parent, { recursive: true });
    const prefix = `${name}-`;
    const numbers = (await readdir(parent))
      .filter((entry) => entry.startsWith(prefix) && /^\d+$/.test(entry.slice(prefix.length)))
      .map((entry) => Number(entry.slice(prefix.length)));
    for (let number = Math.max(0, ...numbers) + 1; ; number++) {
      const folder = join(parent, `${prefix}${String(number).padStart(3, '0')}`);
      try {
        await mkdir(folder);
        return folder;
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
    }
  });
}

/**
 * Claims the folder that the user specified for a new run: creates it, or uses it if it is empty.
 *
 * @throws LmdError `RUN_EXISTS` if it is not empty; `FILE_SYSTEM`.
 */
export async function claimRunFolder(folder: string): Promise<void> {
  await withFileErrors('make', folder, async () => {
    await mkdir(dirname(folder), { recursive: true });
    try {
      await mkdir(folder);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      const entries = await readdir(folder);
      if (entries.length === 0) return;
      throw new LmdError('RUN_EXISTS', `The run folder ${folder} is not empty: it contains ${entries[0]}.`, {
        subject: folder,
        value: entries.length,
        remedy: 'Resume that run, or use another folder.',
      });
    }
  });
}
