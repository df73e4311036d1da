import { adamw, createOperations, lmd, stateBytes } from '@lmd/core';
import { race } from '../lib/report.mjs';

const key = { seed: 1, stream: 2, step: 3, sample: 0 };

/** Optimizers with different states, the baseline first. */
const rules = {
  'AdamW, f32': () => adamw(),
  'LMD, f32': () => lmd(),
  'LMD, block16': () => lmd({ stateFormat: 'block16' }),
  'LMD, one momentum, f32': () => lmd({ gradientScaling: 'none' }),
  'LMD, one momentum, block16': () => lmd({ stateFormat: 'block16', gradientScaling: 'none' }),
  'LMD, one momentum, block8': () => lmd({ stateFormat: 'block8', gradientScaling: 'none' }),
};

/** A state of one weight, and functions that sample and update it. */
async function task(backend, rule, size) {
  const ops = createOperations(backend);
  const filled = (deviation) => ops.scope(() => ops.multiply(ops.randomNormal([size], key), deviation));
  const [weight, gradient] = [filled(0.05), filled(0.01)];
  const state = await rule.init(ops, { weight });
  ops.dispose(weight);
  return {
    bytes: stateBytes(state) / size,
    draw: () => ops.dispose(rule.draw(ops, state, key)),
    update: () => ops.dispose(rule.update(ops, state, [{ key, gradients: { weight: gradient } }]).tensors),
    free() {
      ops.dispose(gradient);
      ops.dispose(state.tensors);
    },
  };
}

/**
 * For each state { label, bytes a weight, and the milliseconds of a draw and of an update of one weight }, in turn; of
 * states in codes also { composed }, those of an update without the kernels for codes, where that is asked for.
 */
export async function raceStates(backend, size, rounds, withComposed = false) {
  const { encodeBlocks, decodeBlocks, ...others } = backend.fused;
  const tasks = {};
  const compositions = {};
  for (const [label, make] of Object.entries(rules)) {
    tasks[label] = await task(backend, make(), size);
    if (!withComposed || !label.includes('block')) continue;
    compositions[label] = await task({ ...backend, fused: others }, make(), size);
  }
  const runs = (list, kind) => Object.fromEntries(Object.entries(list).map(([label, one]) => [label, one[kind]]));
  const draws = await race(runs(tasks, 'draw'), rounds);
  const updates = await race(runs(tasks, 'update'), rounds);
  const composed = await race(runs(compositions, 'update'), Math.min(rounds, 3));
  for (const one of [...Object.values(tasks), ...Object.values(compositions)]) one.free();
  return Object.entries(tasks).map(([label, { bytes }]) => ({
    label,
    bytes,
    draw: draws[label],
    update: updates[label],
    ...(label in composed ? { composed: composed[label] } : {}),
  }));
}
