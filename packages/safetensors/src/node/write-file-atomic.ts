import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileError } from './file-errors.js';

/** Text (as UTF-8), bytes, or parts that are written one after the other, so that a large file need not be put together first. */
export type FileContents = string | Uint8Array | Iterable<Uint8Array>;

/**
 * Writes a file whole or not at all: into a new file in the same folder (`.<name>.<random>.tmp`), which is flushed to the disk and
 * then renamed over `path`, after which the folder is flushed too where the system allows. Whoever reads `path`, also after a power
 * cut, finds the old contents or the new, never a mixture. On failure the new file is removed and the old one is untouched; only
 * a killed process can leave a `.tmp` file behind. A symbolic link at `path` is replaced, not followed.
 *
 * @throws SafetensorsError `FILE_SYSTEM`, naming the path and what to do.
 */
export async function writeFileAtomic(path: string, contents: FileContents): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      try {
        await writeAll(file, contents);
        await file.sync();
      } finally {
        await file.close();
      }
      await renameOver(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncFolder(folder);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

async function writeAll(file: FileHandle, contents: FileContents): Promise<void> {
  if (typeof contents === 'string') return await file.writeFile(contents, 'utf8');
  const parts = contents instanceof Uint8Array ? [contents] : contents;
  for (const part of parts) {
    let offset = 0;
    while (offset < part.length) {
      // Systems write at most 2 GiB at once.
      const { bytesWritten } = await file.write(part, offset, Math.min(part.length - offset, 2 ** 30));
      offset += bytesWritten;
    }
  }
}

/** On Windows, a virus scanner or an indexer that just looks at the file makes a rename fail for a moment. */
async function renameOver(from: string, to: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await rename(from, to);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const passing = process.platform === 'win32' && (code === 'EPERM' || code === 'EACCES' || code === 'EBUSY');
      if (!passing || attempt === 7) throw error;
      await wait(10 * 2 ** attempt);
    }
  }
}

/** Makes the rename itself last. Windows and some network file systems cannot open or flush a folder; the file is whole all the same. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!['EPERM', 'EACCES', 'EISDIR', 'EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF'].includes(code ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}
