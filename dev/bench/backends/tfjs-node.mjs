/**
 * node dev/bench/backends/tfjs-node.mjs [--json] [--write] [--quick] [--batch 16] [--rounds 1]
 *
 * Compares training steps of ViT-Ti/4 (32 × 32 images) on tfjs-node with the cpu backend and eager PyTorch, in one run:
 * AdamW in FP32, and LMD with products in MXFP6. All use the same weights, data and number of threads, run in turn,
 * each in its own process; the losses of the first steps must agree. Each figure is a minimum. LMD_TFJS_NODE is the
 * path of an engine built by dev/engines/libtensorflow; otherwise @tensorflow/tfjs-node must be installed. PyTorch is
 * that of python3, or of the Python given by LMD_PYTHON. `--write` writes docs/performance-tfjs-node.md. `--quick`
 * measures one step of the smallest model, compared with the cpu backend only.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createCpuBackend } from '@lmd/backends/cpu';
import { benchArguments } from '../lib/arguments.mjs';
import { occasion, omitted, tableOfRows, writeDocument } from '../lib/page.mjs';
import { python, pythonHas } from '../lib/python.mjs';
import { print, report } from '../lib/report.mjs';
import { writeTask } from '../training/task-folder.mjs';
import { rules, tasks } from '../training/tasks.mjs';

const given = benchArguments({ batch: { type: 'string', default: '16' } }, 1);
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const steps = path('../training/step.mjs');
const sides = [
  { name: 'tfjs-node', program: process.execPath, script: steps, rest: ['tfjs-node'] },
  { name: 'the cpu backend', program: process.execPath, script: steps, rest: [] },
];
if (!given.quick && pythonHas('PyTorch', 'torch', 'torchao')) {
  sides.push({ name: 'PyTorch', program: python, script: path('../../peers/training.py'), rest: [] });
}

function run({ program, script, rest }, folder) {
  const { status, stdout, stderr } = spawnSync(program, [script, folder, ...rest], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  if (status !== 0) throw new Error(`${program} ${script} failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const runtimes = new Map();
const batch = Number(given.batch);
const backend = await createCpuBackend();
const task = given.quick
  ? { ...tasks['vit-tiny'], timedSteps: 1 }
  : { ...tasks['vit-ti4'], batch, label: `ViT-Ti/4, 32×32, batch ${batch}`, timedSteps: 3 };
for (const rule of rules) {
  const settings = { rule, format: rule.format, threads: 2, checkedSteps: 1, recomputation: false };
  const { folder, remove } = await writeTask(backend, task, settings);
  try {
    const least = sides.map(() => Infinity);
    for (let round = 0; round < given.rounds; round++) {
      const results = sides.map((side) => run(side, folder));
      const [first] = results;
      for (const [i, { losses, milliseconds, runtime }] of results.entries()) {
        // With a block format, the last bit of a sum may change the rounding of a value, and twelve blocks amplify the
        // difference.
        const bound = rule.format === 'fp32' ? 2e-4 : 0.1;
        if (!(Math.abs(losses[0] - first.losses[0]) < bound)) {
          throw new Error(`The first losses differ: ${losses[0]} of ${sides[i].name}, and ${first.losses[0]}.`);
        }
        least[i] = Math.min(least[i], ...milliseconds);
        runtimes.set(sides[i].name, runtime);
      }
    }
    for (const [i, { name }] of sides.entries()) {
      if (i === 0) continue;
      report(`training step, ${task.label}, ${rule.label}, tfjs-node`, least[0], 'ms', name, least[i] / least[0]);
    }
  } finally {
    remove();
  }
}
backend.close();
print(given.json);
for (const [name, runtime] of runtimes) console.error(`${name}: ${runtime}`);
if (given.write) {
  const { date, machine, load } = occasion();
  const text = `# Training through tfjs-node

Written by \`node dev/bench/backends/tfjs-node.mjs --write\` on ${date}: ${machine}; ${load}. ${omitted()}

Training steps with \`@lmd/backends/tfjs-node\`, which uses the cpu backend's kernels for noise, quantization and updates,
compared with the cpu backend and eager PyTorch, with the same weights, data and two threads, each in its own process.
The first losses must agree before times are compared. A figure is the minimum over the steps; a ratio is the speed of
tfjs-node relative to the other.

${tableOfRows()}

${[...runtimes].map(([name, runtime]) => `- ${name}: ${runtime}`).join('\n')}
`;
  writeDocument('performance-tfjs-node.md', text);
}
