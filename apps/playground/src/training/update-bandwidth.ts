import { type NamedTensors, stateBytes } from '@lmd/core';
import type { ShownRun } from './session.js';

/** Updates that are timed together, so that one readback waits for all of them. */
const repetitions = 4;

/**
 * Bytes per second that one update of the optimizer moves: it reads the state and the gradients, and writes the state.
 * The run stays as it is. Undefined if it is not training.
 */
export async function updateBandwidth(run: ShownRun): Promise<number | undefined> {
  const { ops, optimizer, training } = run;
  if (training === undefined) return undefined;
  const { state, model, seed, step } = training;
  const gradients: NamedTensors = Object.fromEntries(
    Object.entries(model.parameters).map(([name, { shape }]) => [name, ops.full(shape, 1e-3)]),
  );
  const key = { seed, step, sample: 0 };
  const passes = Array.from({ length: optimizer.samples }, (_, sample) => ({ key: { ...key, sample }, gradients }));
  const small = Object.keys(state.tensors).reduce((a, b) =>
    size(state.tensors[a]!.shape) <= size(state.tensors[b]!.shape) ? a : b,
  );
  const timed = async (count: number) => {
    const began = performance.now();
    for (let n = 0; n < count; n++) {
      const next = optimizer.update(ops, state, passes);
      if (n === count - 1) await ops.read(next.tensors[small]!);
      ops.dispose(next.tensors);
    }
    return performance.now() - began;
  };
  // The first compiles kernels on some backends; the readback of one is in both times.
  await timed(1);
  const one = await timed(1);
  const many = await timed(1 + repetitions);
  const parameters = Object.values(model.parameters).reduce((sum, { shape }) => sum + size(shape), 0);
  ops.dispose(gradients);
  const bytes = 2 * stateBytes(state) + 4 * parameters;
  const milliseconds = (many - one) / repetitions;
  return milliseconds > 0 ? (bytes / milliseconds) * 1000 : undefined;
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
