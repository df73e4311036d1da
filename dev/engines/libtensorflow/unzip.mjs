import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/**
 * Extracts the entries of a ZIP archive for which `target(name)` gives a relative path, into `folder`. Returns their
 * names. Throws for a damaged archive, and for a path that leaves the folder.
 *
 * @param {string} archive
 * @param {string} folder created where absent
 * @param {(name: string) => string | undefined} target
 */
export async function unzip(archive, folder, target) {
  const file = await openPromise(archive);
  const extracted = [];
  try {
    for await (const entry of file.eachEntry()) {
      const name = entry.fileName;
      const path = name.endsWith('/') ? undefined : target(name);
      if (path === undefined) continue;
      if (path.split(/[\\/]/).includes('..')) throw new Error(`${path} would leave ${folder}.`);
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await pipeline(await file.openReadStreamPromise(entry), createWriteStream(join(folder, path)));
      extracted.push(name);
    }
  } finally {
    file.close();
  }
  return extracted;
}
