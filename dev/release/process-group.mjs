import { spawn, spawnSync } from 'node:child_process';

/**
 * Starts a program that ends with everything it started: a process group of its own, which Ctrl-C does not reach; on
 * Windows, a tree.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export function startGroup(command, args, options = {}) {
  const windows = process.platform === 'win32';
  const child = spawn(command, args, { stdio: 'inherit', ...options, detached: !windows });
  /** @type {Promise<number>} Exit code; 1 after a signal, or if the program could not be started. */
  const ended = new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (code) => resolve(code ?? 1));
  });
  /** Also ends what outlives the program itself. */
  async function stop() {
    if (child.pid === undefined) return;
    if (windows) spawnSync('taskkill', ['/pid', String(child.pid), '/t', '/f']);
    else {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    }
    await ended;
  }
  return { child, ended, stop };
}
