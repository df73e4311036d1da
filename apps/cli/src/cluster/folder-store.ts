import { mkdirSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Store } from '@lmd/distributed';
import { writeFileAtomic } from '@lmd/safetensors/node';

/** A store whose keys are paths in a folder, which outlasts the process. Keys are of letters, digits, `-`, `_`, `/`. */
export function folderStore(folder: string): Store {
  const pathOf = (key: string) => join(folder, ...key.split('/'));
  return {
    async put(key, value) {
      await mkdir(dirname(pathOf(key)), { recursive: true });
      await writeFileAtomic(pathOf(key), value);
    },
    async get(key) {
      try {
        return Uint8Array.from(await readFile(pathOf(key)));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    delete: (key) => rm(pathOf(key), { force: true }),
    async keys(prefix = '') {
      mkdirSync(folder, { recursive: true });
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .filter((key) => key.startsWith(prefix))
        .sort();
    },
  };
}
