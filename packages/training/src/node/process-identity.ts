import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Distinguishes a process from another one with the same pid on this machine: its start time as reported by the system,
 * which does not change. Undefined if the process has ended, or if the system does not report it (Windows).
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      // The 22nd field is the start time in clock ticks since boot; the 2nd, in parentheses, may contain spaces
      // (proc_pid_stat(5)).
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
      return ticks === undefined ? undefined : `${boot} ${ticks}`;
    }
    if (process.platform === 'win32') return undefined;
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)], {
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
