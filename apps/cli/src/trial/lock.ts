import { setTimeout as delay } from 'node:timers/promises';
import { isLmdError } from '@lmd/core';
import { lockRun, type RunLock, removeLeftovers } from '@lmd/training/node';

/** How long a child process may take to see that its parent was killed: the longest step there is. */
const patienceMilliseconds = 15_000;
const pauseMilliseconds = 100;

/**
 * Locks the folder of one rule, and removes what a killed process left there half written. Waits for a while: after a
 * kill, the child process of the run before is about to end.
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
