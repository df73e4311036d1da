import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { python, pythonHas } from '../lib/python.mjs';
import { differenceOfGradients } from './task-folder.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/**
 * Runs a program for the task in `folder` and returns its result. If it ran out of memory, the result has `outOfMemory`
 * instead of figures.
 */
function run(program, script, folder, ...rest) {
  const { status, stdout, stderr } = spawnSync(program, [script, folder, ...rest], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  throw new Error(`${program} ${script} failed:\n${stderr}`);
}

/**
 * Our configurations, and PyTorch, undefined if it is not installed: each { ending, run } with the suffix of the names
 * of its rows. `quick` excludes PyTorch.
 */
export async function openSides({ quick }) {
  const ours = [{ ending: '', run: (folder) => run(process.execPath, path('step.mjs'), folder, 'cpu') }];
  if (quick) return { ours, theirs: undefined };
  if (!pythonHas('PyTorch', 'torch', 'torchao')) return { ours, theirs: undefined };
  return { ours, theirs: { run: (folder) => run(python, path('../../peers/training.py'), folder) } };
}

/**
 * The first loss agrees up to rounding; with a block format, the last bit of a sum may change the rounding of a value,
 * and the blocks amplify the difference: at ViT-Ti/4, matrices changed by 1.5e-7 of their size, as LMD's exp(log w)
 * changes them, move the first loss by 5e-7 in FP32 and by up to 0.03 in MXFP6. After updates by sign, the losses agree
 * to what a few flipped signs make of them.
 */
const tolerance = { adamw: [2e-4, 2e-2], lmd: [0.1, 0.1] };

/** Throws if the losses of two programs differ, since their times cannot be compared. */
export function checkLosses(name, rule, a, b) {
  a.losses.forEach((loss, i) => {
    const bound = tolerance[rule.name][Math.min(i, 1)];
    if (Math.abs(loss - b.losses[i]) < bound) return;
    throw new Error(
      `${name}: the losses of step ${i} differ, ${loss} and ${b.losses[i]}, so the times cannot be compared.`,
    );
  });
}

/** Of a gradient as a whole, in FP32: sums in another order, through as many as 48 layers. */
const gradientTolerance = 2e-5;

/** Throws if a gradient of the first step differs between ours and PyTorch's. */
export function checkGradients(name, folder) {
  const { name: weight, relative } = differenceOfGradients(folder, 'lmd', 'torch');
  console.error(
    `${name}: gradients agree to ${relative.toExponential(1)} (the largest relative difference, of ${weight})`,
  );
  if (relative < gradientTolerance) return;
  throw new Error(`${name}: the gradients of ${weight} differ by ${relative}, so the times cannot be compared.`);
}

/** Minimum time in milliseconds and peak memory in bytes over the rounds, null if it ran out of memory. */
export function figuresOf(rounds) {
  if (rounds.some(({ outOfMemory }) => outOfMemory !== undefined)) return { milliseconds: null, bytes: null };
  return {
    milliseconds: Math.min(...rounds.flatMap(({ milliseconds }) => milliseconds)),
    bytes: Math.max(...rounds.map(({ peakBytes }) => peakBytes)),
  };
}
