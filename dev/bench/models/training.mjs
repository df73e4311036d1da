import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { leaveOut, rows } from '../lib/report.mjs';

// By path: it depends on this package, so that this one cannot depend on it.
const program = fileURLToPath(new URL('../training/index.mjs', import.meta.url));
const smallest = ['--quick', '--task=vit-tiny', '--rule=lmd', '--recomputation=on'];
const tasks = ['gpt2-nano', 'gpt2-124m', 'vit-s16'];

/**
 * Training steps at full size, with and without recomputation, and their peak memory: the benchmark of @lmd/training,
 * with each library in its own process. `steps` steps of each are timed, after one whose loss is checked.
 */
export function benchTraining({ quick, rounds, steps, threads }) {
  const options = [...tasks.flatMap((task) => ['--task', task]), '--checked', '1', '--timed', String(steps)];
  options.push('--recomputation', 'both', '--rounds', String(rounds), '--threads', String(threads));
  const { status, stdout } = spawnSync(process.execPath, [program, '--json', ...(quick ? smallest : options)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error('The benchmark of training steps failed: see above.');
  const measured = JSON.parse(stdout);
  // Rows of memory are compared with our own steps as well.
  const isCompared = measured.some(({ peer }) => peer?.startsWith('PyTorch'));
  if (!quick && !isCompared) leaveOut('comparison of training steps with PyTorch');
  rows.push(...measured);
}
