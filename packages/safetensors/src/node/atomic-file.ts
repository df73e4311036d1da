import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SafetensorsError } from '../errors.js';
import { fileError } from './file-errors.js';

/** An unfinished file, which `commit` or `discard` ends; further calls of either have no effect. */
export interface AtomicFile {
  /** The target path. */
  readonly path: string;
  /**
   * Writes all of `bytes` at `position`, by default after the last write. Writes must not overlap in time.
   */
  write(bytes: Uint8Array, position?: number): Promise<void>;
  /**
   * Flushes the file to the disk, replaces the old one, and flushes the folder. On failure it is discarded.
   */
  commit(): Promise<void>;
  /** Removes the unfinished file; an existing file at `path` is not changed. */
  discard(): Promise<void>;
}

/**
 * Creates a file that is written atomically: a temporary file in the same folder (`.<name>.<random>.tmp`), which
 * `commit` flushes to the disk and renames to `path`. A reader of `path`, even after a power failure, finds either the
 * old or the new contents. Only a killed process can leave a `.tmp` file behind. A symbolic link at `path` is replaced,
 * not followed.
 *
 * @throws SafetensorsError `FILE_SYSTEM`, naming the path and the remedy, from here and from each method.
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
          throw new SafetensorsError('INVALID_ARGUMENT', `"${path}" was written to after commit or discard.`, {
            subject: path,
            remedy: 'Write before commit or discard.',
          });
        }
        let offset = 0;
        while (offset < bytes.length) {
          // Operating systems write at most 2 GiB at once.
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

/** On Windows, a rename fails temporarily while a virus scanner or an indexer reads the file. */
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
 * Makes the rename durable. Windows and some network file systems cannot open or flush a folder; the file is complete
 * anyway.
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
