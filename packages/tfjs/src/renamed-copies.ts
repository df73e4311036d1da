import { type DrawKey, LmdError } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedOptimizerOptions } from './lmd-optimizer-options.js';
import type { TfjsOperations } from './operations.js';
import { drawNames } from './variable-names.js';
import { hasNameOf, isRegistered, possibleCopies } from './variables.js';
import type { SavedState } from './weight-states.js';

/**
 * Saved states with the variables that may be theirs under another name: those that tfjs-layers could have renamed and
 * that hold the saved weights. A name alone would not do: `layer/w_2` may be another weight than `layer/w_1`.
 *
 * @param key of the evaluation weights after the last step
 */
export async function withCopies(
  operations: TfjsOperations,
  saved: ReadonlyMap<string, SavedState>,
  options: ResolvedOptimizerOptions,
  key: DrawKey,
): Promise<Map<string, SavedState>> {
  const drawn = drawNames([...saved.keys()]);
  const found = new Map<string, SavedState>();
  for (const [name, state] of saved) {
    const candidates = possibleCopies(name, state.shape).filter((variable) => !saved.has(variable.name));
    const distances =
      candidates.length === 0 ? [] : await distancesTo(operations, candidates, drawn.get(name)!, state, options, key);
    // Another engine may differ in last bits.
    const copies = candidates.filter((_, index) => distances[index]! <= 1e-4).map((variable) => variable.name);
    found.set(name, { ...state, copies });
  }
  return found;
}

/** Throws `INVALID_ARGUMENT` for a state that no variable of this program can continue from. */
export function checkSavedNames(saved: ReadonlyMap<string, SavedState>): void {
  for (const [name, { copies }] of saved) {
    if (isRegistered(name) || copies.length > 0) continue;
    const others = hasNameOf(name) ? ' Variables that could be renamed copies of it hold other weights.' : '';
    throw new LmdError(
      'INVALID_ARGUMENT',
      `LMDOptimizer: there is no variable "${name}" for the saved state.${others}`,
      {
        subject: name,
        remedy: 'First build the model with the names with which it was saved, or load the saved weights into it.',
      },
    );
  }
}

/** Largest difference of each variable from the state's evaluation weights, relative to the largest of these. */
async function distancesTo(
  { ops, take, give }: TfjsOperations,
  candidates: readonly tf.Variable[],
  drawnAs: string,
  { rule, vectors }: SavedState,
  { rules }: ResolvedOptimizerOptions,
  key: DrawKey,
): Promise<number[]> {
  let weights: tf.Tensor | undefined;
  ops.scope(() => {
    const tensors = Object.entries(vectors).map(([vector, tensor]) => [`${drawnAs}/${vector}`, take(tensor)]);
    const state = { step: key.step, tensors: Object.fromEntries(tensors) };
    weights = give(rules[rule].weights(ops, state, undefined, key)[drawnAs]!);
  });
  try {
    const expected = (await weights!.data()) as Float32Array;
    const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return await Promise.all(
      candidates.map(async (variable) => {
        const held = (await variable.data()) as Float32Array;
        const difference = held.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
        return difference === 0 ? 0 : difference / scale;
      }),
    );
  } finally {
    tf.dispose(weights!);
  }
}
