import { randomBytes } from 'node:crypto';
import { constants, copyFile, link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LmdError } from '@lmd/core';
import { hasCode, withFileErrors } from './file-errors.js';
import { processIdentity } from './process-identity.js';

export interface RunLock {
  readonly path: string;
  /** Releases the lock. Releasing twice is not an error. */
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start of the owner's process in milliseconds since 1970: a later process may have the same pid. */
  readonly processStart: number;
  /** The result of `processIdentity`; absent if the system does not report it. */
  readonly identity?: string;
  readonly token: string;
}

/**
 * Makes this process the only writer of a run folder, with a file `run.lock`. A lock of a process on this machine that
 * has ended (was killed) is taken over, even if another process now has its pid. On Windows such a process cannot be
 * distinguished.
 *
 * @throws LmdError `RUN_LOCKED` naming the process that owns it; `FILE_SYSTEM`.
 */
export async function lockRun(folder: string): Promise<RunLock> {
  const path = join(folder, 'run.lock');
  const token = randomBytes(8).toString('hex');
  const identity = await processIdentity(process.pid);
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    processStart: Math.round(performance.timeOrigin),
    ...(identity === undefined ? {} : { identity }),
    token,
  };
  const own = join(folder, `.run.lock.${token}`);
  return withFileErrors('lock', path, async () => {
    await writeFile(own, JSON.stringify(owner), { flag: 'wx' });
    try {
      // A link is created atomically and only if the path is free, so an incomplete lock is never read.
      while (!(await linkIfFree(own, path))) await removeIfStale(path, own);
    } finally {
      await rm(own, { force: true });
    }
    let held = true;
    return {
      path,
      async release() {
        if (!held) return;
        held = false;
        await withFileErrors('unlock', path, async () => {
          if ((await readOwner(path))?.token === token) await rm(path, { force: true });
        });
      },
    };
  });
}

/** Whether a process that is still running holds the lock of a run folder. */
export async function isRunLocked(folder: string): Promise<boolean> {
  const path = join(folder, 'run.lock');
  const owner = await withFileErrors('read', path, () => readOwner(path));
  return owner !== undefined && (await isAlive(owner));
}

async function linkIfFree(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (!withoutLinks.some((code) => hasCode(error, code))) throw error;
  }
  try {
    await copyFile(own, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Error codes of file systems without hard links (FAT, some network shares). */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Removes a lock whose process has ended; throws `RUN_LOCKED` if it has not. Only the owner of a second lock,
 * `run.lock.takeover`, may remove the first, after checking it again. Otherwise two processes that find the same stale
 * lock could both remove it, and the slower one would remove the new lock of the faster one.
 */
async function removeIfStale(path: string, own: string): Promise<void> {
  const owner = await readOwner(path);
  if (owner === undefined) return;
  if (await isAlive(owner)) throw locked(path, owner);
  const takeover = `${path}.takeover`;
  if (!(await linkIfFree(own, takeover))) {
    const taker = await readOwner(takeover);
    // That process was killed while taking over.
    if (taker !== undefined && !(await isAlive(taker))) await rm(takeover, { force: true });
    return await wait(10);
  }
  try {
    if ((await readOwner(path))?.token === owner.token) await rm(path, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

/** Undefined if the file no longer exists. An invalid file counts as a stale lock. */
async function readOwner(path: string): Promise<Owner | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null;
    if (typeof owner?.pid === 'number' && typeof owner.host === 'string') return owner as Owner;
  } catch {
    // Not JSON: treated as stale below.
  }
  return { pid: -1, host: hostname(), processStart: 0, token: '' };
}

async function isAlive({ pid, host, processStart, identity }: Owner): Promise<boolean> {
  // Processes of another machine cannot be checked, so its lock remains until it is removed manually.
  if (host !== hostname()) return true;
  if (pid === process.pid) return processStart === Math.round(performance.timeOrigin);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    if (!hasCode(error, 'EPERM')) return false;
  }
  const now = identity === undefined ? undefined : await processIdentity(pid);
  return now === undefined || now === identity;
}

function locked(path: string, { pid, host }: Owner): LmdError {
  return new LmdError('RUN_LOCKED', `Process ${pid} on ${host} is writing to this run.`, {
    subject: path,
    value: pid,
    remedy: `Wait until it ends. If it is not a training run, remove ${path}.`,
  });
}
