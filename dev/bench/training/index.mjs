/**
 * npm run bench -- training [--json] [--quick] [--task vit-ti4 ...] [--rule adamw ...] [--rounds 2] [--checked 2]
 * [--timed N]
 *                           [--threads 2] [--recomputation off | on | both]
 *
 * Compares training steps on the cpu backend with eager PyTorch: same model, initial weights, data and number of
 * threads, each in its own process, in turn; with gradient checkpointing, both use it. The losses of the first
 * `--checked` steps, and of the score network in FP32 the gradients of the first, must agree before times are compared.
 * PyTorch is that of python3 or the Python given by LMD_PYTHON (`dev/peers/requirements.txt`); without it the rows have
 * no ratio. Running out of memory is reported in the row. `--quick` runs the smallest models once without PyTorch, to
 * check that it works; its times are not meaningful.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { print, report } from '../lib/report.mjs';
import { checkGradients, checkLosses, figuresOf, openSides } from './sides.mjs';
import { writeTask } from './task-folder.mjs';
import { rules, tasks, unitsPerStep } from './tasks.mjs';

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    task: { type: 'string', multiple: true },
    rule: { type: 'string', multiple: true, default: rules.map(({ name }) => name) },
    rounds: { type: 'string' },
    checked: { type: 'string' },
    timed: { type: 'string' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    recomputation: { type: 'string' },
  },
});
const usual = given.quick
  ? { task: ['vit-tiny', 'gpt2-char', 'score'], rounds: 1, checked: 1, timed: 1, recomputation: 'both' }
  : { task: ['vit-ti4', 'gpt2-nano', 'score'], rounds: 2, checked: 2, timed: undefined, recomputation: 'off' };
const settings = { ...usual, ...given };
const choices = { off: [false], on: [true], both: [false, true] };
refuseUnknown('task', settings.task, tasks);
refuseUnknown('rule', given.rule, Object.fromEntries(rules.map((rule) => [rule.name, rule])));
refuseUnknown('choice of --recomputation', [settings.recomputation], choices);
const [rounds, checkedSteps, threads] = [settings.rounds, settings.checked, given.threads].map(Number);

function refuseUnknown(what, names, known) {
  const unknown = names.find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  console.error(`Unknown ${what} "${unknown}". Use some of ${Object.keys(known).join(', ')}.`);
  process.exit(2);
}

const { ours, theirs: pytorch } = await openSides(given);

/**
 * The rows of each of our configurations for one task and one optimizer.
 *
 * @param baseline peak memory in bytes of our step of AdamW in FP32, with which the others are compared.
 * @returns the peak memory of the first of our configurations in bytes, null if it ran out of memory.
 */
async function measure(task, rule, recomputation, baseline) {
  const theirs = rule.peer === undefined ? undefined : pytorch;
  const timedSteps = Number(settings.timed ?? task.timedSteps);
  const what = `${task.label}, ${rule.label}${recomputation ? ', recomputed' : ''}`;
  // Closed first, so that its memory is not measured.
  const backend = await createCpuBackend();
  // In a block format, the last bit of a sum may change the rounding of a value.
  const comparesGradients = task.comparesGradients === true && rule.format === 'fp32';
  const checks = { checkedSteps, comparesGradients };
  const description = { rule, format: rule.format, threads, timedSteps, recomputation, ...checks };
  const { folder, remove } = await writeTask(backend, task, description);
  backend.close();
  try {
    const results = ours.map(() => []);
    const peers = [];
    for (let round = 0; round < rounds; round++) {
      for (const [i, side] of ours.entries()) results[i].push(side.run(folder));
      if (theirs !== undefined) peers.push(theirs.run(folder));
    }
    const speedOf = ({ milliseconds }) => (milliseconds === null ? null : (1000 * unitsPerStep(task)) / milliseconds);
    const quotient = (a, b) => (a === null || b === null ? null : a / b);
    const their = theirs === undefined ? undefined : figuresOf(peers);
    const peer = their === undefined ? null : rule.peer;
    // A quick run of few steps is no measurement.
    const hasTargets = !given.quick && (task.targets ?? []).includes(rule.name) && !recomputation;
    for (const [i, { ending }] of ours.entries()) {
      const [first] = results[i];
      const figures = figuresOf(results[i]);
      if (their?.milliseconds && figures.milliseconds) {
        checkLosses(`${what}${ending}`, rule, first, peers[0]);
        if (comparesGradients) checkGradients(`${what}${ending}`, folder);
      }
      const ratio = their === undefined ? null : quotient(their.milliseconds, figures.milliseconds);
      report(
        `training step, ${what}${ending}`,
        speedOf(figures),
        task.unit,
        peer,
        ratio,
        hasTargets ? (rule.target ?? null) : null,
        {
          ...(their === undefined ? {} : { peerValue: speedOf(their), peerLosses: peers[0].losses }),
          milliseconds: figures.milliseconds,
          losses: first.losses,
          runtime: first.runtime,
          peerRuntime: peers[0]?.runtime,
        },
      );
      const mebibytes = ({ bytes }) => (bytes === null ? null : bytes / 2 ** 20);
      report(
        `peak memory, ${what}${ending}`,
        mebibytes(figures),
        'MiB',
        peer,
        their === undefined ? null : quotient(their.bytes, figures.bytes),
        hasTargets && rule.peer !== undefined ? 1 : null,
        their === undefined ? {} : { peerValue: mebibytes(their) },
      );
      if (baseline !== undefined && baseline !== null) {
        const target = hasTargets ? (rule.memoryTarget ?? null) : null;
        const ratio = quotient(baseline, figures.bytes);
        report(`memory beside AdamW, ${what}${ending}`, mebibytes(figures), 'MiB', 'our AdamW in FP32', ratio, target);
      }
      const took =
        figures.milliseconds === null ? first.outOfMemory : `${speedOf(figures).toPrecision(3)} ${task.unit}`;
      console.error(`${what}${ending}: ${took}${ratio === null ? '' : `, ${ratio.toFixed(2)} × ${peer}`}`);
    }
    return figuresOf(results[0]).bytes;
  } finally {
    remove();
  }
}

for (const name of settings.task) {
  for (const recomputation of choices[settings.recomputation]) {
    if (recomputation && tasks[name].model === 'score') continue;
    let baseline;
    for (const rule of rules.filter(({ name }) => given.rule.includes(name))) {
      const bytes = await measure(tasks[name], rule, recomputation, baseline);
      if (rule.name === 'adamw') baseline = bytes;
    }
  }
}
print(given.json);
