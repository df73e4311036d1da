/**
 * npm run bench -- training [--json] [--task vit-ti4 ...] [--rule adamw ...] [--rounds 2] [--recomputation]
 *
 * Whole training steps on the cpu backend beside eager PyTorch: the same model, initial weights, data and number of threads, each side in a
 * process of its own, in turns. Where onnxruntime-node is installed, or LMD_ONNXRUNTIME names its folder, there are rows with its products too. The losses of the first steps must agree before times are compared. PyTorch is what python3, or the Python
 * that LMD_PYTHON names, has (`tools/peers/requirements.txt`); without it the rows have no ratio.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { onnxruntimeOptions } from './onnxruntime-options.mjs';
import { writeTask } from './task-folder.mjs';
import { rules, tasks, unitsPerStep } from './tasks.mjs';

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    task: { type: 'string', multiple: true, default: ['vit-ti4', 'gpt2-nano'] },
    rule: { type: 'string', multiple: true, default: rules.map(({ name }) => name) },
    rounds: { type: 'string', default: '2' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    recomputation: { type: 'boolean', default: false },
  },
});
const unknown = given.task.find((name) => tasks[name] === undefined);
if (unknown !== undefined) {
  console.error(`There is no task "${unknown}". There are: ${Object.keys(tasks).join(', ')}.`);
  process.exit(2);
}
const unknownRule = given.rule.find((name) => !rules.some((rule) => rule.name === name));
if (unknownRule !== undefined) {
  console.error(`There is no rule "${unknownRule}". There are: ${rules.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const rounds = Number(given.rounds);
const threads = Number(given.threads);
const ours = fileURLToPath(new URL('step.mjs', import.meta.url));
const theirs = fileURLToPath(new URL('../../../tools/peers/training.py', import.meta.url));
const python = process.env.LMD_PYTHON ?? 'python3';

function sideOf(program, script, folder, ...rest) {
  const { status, stdout, stderr } = spawnSync(program, [script, folder, ...rest], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  throw new Error(`${program} ${script} failed:\n${stderr}`);
}

const hasPeer = spawnSync(python, ['-c', 'import torch, torchao']).status === 0;
if (!hasPeer) console.error(`${python} has no torch and torchao: the rows have no ratio. LMD_PYTHON may name another.`);

/** Our sides: [argument of step.mjs, how its rows end]. */
const engines = [['cpu', '']];
try {
  (await createCpuBackend(onnxruntimeOptions())).close();
  engines.push(['onnxruntime', ', products by onnxruntime']);
} catch (error) {
  console.error(error.message);
}

/**
 * The first loss agrees to rounding; with a block format, the last bit of a sum may decide to which neighbour a value is rounded, and the
 * blocks carry that on: at ViT-Ti/4, matrices changed by 1.5e-7 of their size, as LMD's exp(log w) changes them, move the first loss by 5e-7
 * in FP32 and by up to 0.03 in MXFP6. After updates by sign, the losses agree to what a few flipped signs make of them.
 */
const tolerance = { adamw: [2e-4, 2e-2], lmd: [0.1, 0.1] };

function checkLosses(name, rule, a, b) {
  a.losses.forEach((loss, i) => {
    const bound = tolerance[rule.name][Math.min(i, 1)];
    if (Math.abs(loss - b.losses[i]) < bound) return;
    throw new Error(`${name}: the losses of step ${i} differ, ${loss} and ${b.losses[i]}, so that times say nothing.`);
  });
}

const rows = [];
const backend = await createCpuBackend();
for (const name of given.task) {
  const task = tasks[name];
  for (const rule of rules.filter(({ name }) => given.rule.includes(name))) {
    const { label, target, peer } = rule;
    const title = `training step, ${task.label}, ${label}${given.recomputation ? ', recomputed' : ''}`;
    const settings = { rule, format: rule.format, threads, checkedSteps: 2, recomputation: given.recomputation };
    const { folder, remove } = await writeTask(backend, task, settings);
    try {
      const results = { theirs: [], ...Object.fromEntries(engines.map(([engine]) => [engine, []])) };
      for (let round = 0; round < rounds; round++) {
        for (const [engine] of engines) results[engine].push(sideOf(process.execPath, ours, folder, engine));
        if (hasPeer) results.theirs.push(sideOf(python, theirs, folder));
      }
      const least = (side) => Math.min(...side.flatMap(({ milliseconds }) => milliseconds));
      const peak = (side) => Math.max(...side.map(({ peakBytes }) => peakBytes));
      const [peers] = results.theirs;
      for (const [engine, ending] of engines) {
        const side = results[engine];
        const [mine] = side;
        if (peers !== undefined) checkLosses(title, rule, mine, peers);
        const speed = (1000 * unitsPerStep(task)) / least(side);
        const ratio = peers === undefined ? null : least(results.theirs) / least(side);
        rows.push({
          name: `${title}${ending}`,
          value: least(side),
          unit: 'ms',
          peer: peers === undefined ? null : peer,
          ratio,
          target,
          met: ratio === null ? null : ratio >= target,
          speed: `${speed.toPrecision(3)} ${task.unit}`,
          losses: mine.losses,
          peerLosses: peers?.losses ?? null,
          runtime: mine.runtime,
          peerRuntime: peers?.runtime ?? null,
        });
        const memoryRatio = peers === undefined ? null : peak(results.theirs) / peak(side);
        rows.push({
          name: `peak memory, ${task.label}, ${label}${given.recomputation ? ', recomputed' : ''}${ending}`,
          value: peak(side) / 2 ** 20,
          unit: 'MiB',
          peer: peers === undefined ? null : peer,
          ratio: memoryRatio,
          target: 1,
          met: memoryRatio === null ? null : memoryRatio >= 1,
        });
        console.error(
          `${title}${ending}: ${speed.toPrecision(3)} ${task.unit}${ratio === null ? '' : `, ${ratio.toFixed(2)} × ${peer}`}`,
        );
      }
    } finally {
      remove();
    }
  }
}
backend.close?.();

if (given.json) console.log(JSON.stringify(rows, null, 2));
else {
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, value, unit, peer, ratio, target, met, speed = '' } of rows) {
    const beside =
      ratio === null
        ? ''
        : `${ratio.toFixed(2).padStart(8)} × ${peer} (at least ${target}: ${met ? 'met' : 'not met'})`;
    console.log(`${name.padEnd(width)} ${value.toFixed(0).padStart(8)} ${unit.padEnd(4)} ${speed.padEnd(16)}${beside}`);
  }
}
