import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { leaveOut, rows } from '../lib/report.mjs';

// By path: it depends on this package, so that this one cannot depend on it.
const program = fileURLToPath(new URL('../training/index.mjs', import.meta.url));

const smallest = ['--quick', '--task=gpt2-char', '--rule=adamw', '--recomputation=off'];
const usual = ['--rounds=1', '--task=vit-ti4', '--task=gpt2-nano'];

/**
 * Training steps and their peak memory compared with PyTorch: the benchmark of @lmd/training, with each library in its
 * own process.
 */
export function benchSteps(quick) {
  const { status, stdout } = spawnSync(process.execPath, [program, '--json', ...(quick ? smallest : usual)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error('The benchmark of training steps failed: see above.');
  const measured = JSON.parse(stdout);
  if (!quick && measured.some(({ peer }) => peer === null)) {
    leaveOut('comparison of training steps with PyTorch, which is not installed');
  }
  rows.push(...measured);
}
