import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { leaveOut, rows } from '../lib/report.mjs';

// By path: the command depends on this package.
const program = fileURLToPath(new URL('../cli/gpt2-124m.mjs', import.meta.url));

/**
 * Memory of a step, a checkpoint and a resume of GPT-2 124M with LMD: the benchmark of the `lmd` command. Linux only.
 */
export function benchCommand() {
  if (process.platform !== 'linux') {
    leaveOut('the memory of the command, which needs /proc');
    return;
  }
  const { status, stdout } = spawnSync(process.execPath, [program, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error('The benchmark of the command failed: see above.');
  rows.push(...JSON.parse(stdout));
}
