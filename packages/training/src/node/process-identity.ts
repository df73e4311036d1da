import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What tells a process from an earlier or later one of the same pid on this machine: when it began, in the system's own
 * words, which are the same whenever they are asked for. Undefined where it is gone, or where the system does not say
 * (Windows).
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      // The 22nd field, the start in clock ticks since the system's; the 2nd, in parentheses, may hold spaces
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
