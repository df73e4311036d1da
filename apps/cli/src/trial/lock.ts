import { setTimeout as delay } from 'node:timers/promises';
import { isLmdError } from '@lmd/core';
import { lockRun, type RunLock, removeLeftovers } from '@lmd/training/node';

/** Time that a child process may need to notice that its parent was killed: the duration of the longest step. */
const patienceMilliseconds = 15_000;
const pauseMilliseconds = 100;

/**
 * Locks the folder of one optimizer, and removes incomplete files of a killed process. Waits for the lock for a while:
 * after a kill, the child process of the previous run may still be ending.
 */
export async function lockPatiently(folder: string): Promise<RunLock> {
  for (let waited = 0; ; waited += pauseMilliseconds) {
    try {
      const lock = await lockRun(folder);
      await removeLeftovers(folder);
      return lock;
    } catch (error) {
      if (!isLmdError(error, 'RUN_LOCKED') || waited >= patienceMilliseconds) throw error;
    }
    await delay(pauseMilliseconds);
  }
}
