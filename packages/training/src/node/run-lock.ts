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
  /** Milliseconds since 1970 at which the owner's process began: a later process may get the same pid. */
  readonly processStart: number;
  /** As `processIdentity` has it; absent where the system does not say. */
  readonly identity?: string;
  readonly token: string;
}

/**
 * Makes this process the only writer to a run folder, by a file `run.lock` in it. A lock whose process on this machine
 * is gone (it was killed) is taken over, also where another process has its pid by now; on Windows that looks alive.
 *
 * @throws LmdError `RUN_LOCKED` naming the process that holds it; `FILE_SYSTEM`.
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
      // A link appears whole and only if nothing is there: nobody ever reads half a lock.
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

/** What file systems without hard links say (FAT, some network shares). */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Removes a lock whose process is gone; throws `RUN_LOCKED` where it is not. Only whoever holds a second lock,
 * `run.lock.takeover`, may remove the first, and looks at it again under the second: else two processes that found the
 * same stale lock would both remove it, the slower one removing the lock that the faster has just made.
 */
async function removeIfStale(path: string, own: string): Promise<void> {
  const owner = await readOwner(path);
  if (owner === undefined) return;
  if (await isAlive(owner)) throw locked(path, owner);
  const takeover = `${path}.takeover`;
  if (!(await linkIfFree(own, takeover))) {
    const taker = await readOwner(takeover);
    // It died in the moment of taking over.
    if (taker !== undefined && !(await isAlive(taker))) await rm(takeover, { force: true });
    return await wait(10);
  }
  try {
    if ((await readOwner(path))?.token === owner.token) await rm(path, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

/** Undefined where the file is gone. A file that is no lock counts as a stale one. */
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
    // Not JSON: falls through.
  }
  return { pid: -1, host: hostname(), processStart: 0, token: '' };
}

async function isAlive({ pid, host, processStart, identity }: Owner): Promise<boolean> {
  // Another machine's processes cannot be seen from here, so its lock stands until somebody removes it.
  if (host !== hostname()) return true;
  if (pid === process.pid) return processStart === Math.round(performance.timeOrigin);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    if (!hasCode(error, 'EPERM')) return false;
  }
  const now = identity === undefined ? undefined : await processIdentity(pid);
  return now === undefined || now === identity;
}

function locked(path: string, { pid, host }: Owner): LmdError {
  return new LmdError('RUN_LOCKED', `Process ${pid} on ${host} is writing to this run.`, {
    subject: path,
    value: pid,
    remedy: `Wait for it to end; if it is not a training run, remove ${path}.`,
  });
}
