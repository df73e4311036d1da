/**
 * node dev/neighbours/score-step.mjs [--rounds 5] [--threads 2]: measures a training step of the score network of
 * apps/examples/dale-langevin beside PyTorch (`npm run bench -- training --task score --rule adamw`), and writes the
 * result to docs/neighbours/score-step.json, from which `node dev/neighbours/page.mjs` writes the page. PyTorch is that
 * of python3 or the Python given by LMD_PYTHON (dev/peers/README.md). Use a machine without other work: build first.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machineName } from '@lmd/example-shared';
import { tableOf } from '@lmd/report';
import { tool } from '../../scripts/lib.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values: given } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, threads: { type: 'string', default: '2' } },
});
const program = at('../bench/training/index.mjs');
const args = ['--task', 'score', '--rule', 'adamw', '--rounds', given.rounds, '--threads', given.threads];
const began = performance.now();
const { status, stdout } = spawnSync(process.execPath, [program, ...args, '--json'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (status !== 0) throw new Error('The benchmark failed: see above.');
const [speed, memory] = JSON.parse(stdout);
if (speed.peer === null) throw new Error('There is no PyTorch to compare with: see above.');

const milliseconds = (imagesPerSecond) => ((1000 * 64) / imagesPerSecond).toFixed(1);
const record = {
  example: 'score-step',
  command: ['node dev/neighbours/score-step.mjs', ...process.argv.slice(2)].join(' '),
  date: new Date().toISOString().slice(0, 10),
  machine: machineName(),
  node: process.versions.node,
  seconds: Number(((performance.now() - began) / 1000).toFixed(1)),
  peakMemoryBytes: Math.round(memory.value * 2 ** 20),
  facts: [
    `AdamW in FP32 on batches of 64 pictures of 28 × 28, the score network of the command; ${speed.runtime}; ` +
      `${speed.peerRuntime}. Both start from the same weights and data, their losses and the gradients of the first ` +
      `step agree, and each runs in a process of its own, ${given.rounds} times in turn; the shortest step counts. ` +
      `Ours has ${speed.ratio.toFixed(2)} times the speed.`,
  ],
  table: tableOf(
    ['program', 'images/s', 'ms per step', 'peak memory, MiB'],
    [
      ['@lmd, native engine', speed.value.toFixed(0), milliseconds(speed.value), memory.value.toFixed(0)],
      ['PyTorch, eager', speed.peerValue.toFixed(0), milliseconds(speed.peerValue), memory.peerValue.toFixed(0)],
    ],
  ),
  results: { speed, memory },
};
const path = at('../../docs/neighbours/score-step.json');
writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
await tool('@biomejs/biome', 'bin/biome', ['format', '--write', path]);
