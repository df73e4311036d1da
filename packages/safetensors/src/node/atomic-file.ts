import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SafetensorsError } from '../errors.js';
import { fileError } from './file-errors.js';

/** A file under way. Exactly one of `commit` and `discard` ends it; a second call of either does nothing. */
export interface AtomicFile {
  /** Where the file will stand. */
  readonly path: string;
  /**
   * Writes all of `bytes` at `position`, by default where the last write ended. Writes must not run at the same time.
   */
  write(bytes: Uint8Array, position?: number): Promise<void>;
  /**
   * Flushes the file to the disk, puts it in the place of the old one, and flushes the folder. On failure it is
   * discarded.
   */
  commit(): Promise<void>;
  /** Removes what was written; what stood at `path` is untouched. */
  discard(): Promise<void>;
}

/**
 * Begins a file that comes about whole or not at all: a new one in the same folder (`.<name>.<random>.tmp`), which
 * `commit` flushes to the disk and renames over `path`. A reader of `path`, also after a power cut, finds the old
 * contents or the new, never a mixture. Only a killed process can leave a `.tmp` file behind. A symbolic link at `path`
 * is replaced, not followed.
 *
 * @throws SafetensorsError `FILE_SYSTEM`, naming the path and what to do, from here and from each method.
 */
export async function createAtomicFile(path: string): Promise<AtomicFile> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const worded = <T>(body: () => Promise<T>) =>
    body().catch((error) => Promise.reject(fileError('write', path, error)));
  const file = await worded(() => open(temporary, 'wx'));
  let end = 0;
  let ended = false;
  const discard = async () => {
    if (ended) return;
    ended = true;
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
  };
  return {
    path,
    discard,
    write: (bytes, position = end) =>
      worded(async () => {
        if (ended) {
          throw new SafetensorsError('INVALID_ARGUMENT', `"${path}" is written to after its end.`, {
            subject: path,
            remedy: 'Write before commit or discard.',
          });
        }
        let offset = 0;
        while (offset < bytes.length) {
          // Systems write at most 2 GiB at once.
          const length = Math.min(bytes.length - offset, 2 ** 30);
          const { bytesWritten } = await file.write(bytes, offset, length, position + offset);
          offset += bytesWritten;
        }
        end = position + bytes.length;
      }),
    commit: () =>
      worded(async () => {
        if (ended) return;
        try {
          await file.sync();
          await file.close();
          await renameOver(temporary, path);
          ended = true;
        } catch (error) {
          await discard();
          throw error;
        }
        await syncFolder(folder);
      }),
  };
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

/**
 * Makes the rename itself last. Windows and some network file systems cannot open or flush a folder; the file is whole
 * all the same.
 */
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
