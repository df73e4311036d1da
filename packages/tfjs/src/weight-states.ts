import { LmdError, type OptimizerState } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedOptimizerOptions, Rule } from './lmd-optimizer-options.js';
import type { TfjsOperations } from './operations.js';
import { drawNames } from './variable-names.js';

export type NamedTensor = Awaited<ReturnType<tf.Optimizer['getWeights']>>[number];

/** The state of one variable. */
export interface WeightState {
  readonly rule: Rule;
  /** Of the variable. */
  readonly shape: readonly number[];
  /** By the vector's name, kept beyond every `tf.tidy`. */
  readonly vectors: Readonly<Record<string, tf.Tensor>>;
  /** The storage that the optimizer put into the variable: another one means that somebody else assigned to it. */
  readonly assigned: object | undefined;
}

/** States by the variable's name, never by position. */
export class WeightStates {
  readonly #states = new Map<string, WeightState>();

  get(name: string): WeightState | undefined {
    return this.#states.get(name);
  }

  names(): string[] {
    return [...this.#states.keys()];
  }

  /** Puts a state in place of the one before, whose tensors are freed. */
  set(name: string, state: WeightState): void {
    const before = this.#states.get(name);
    this.#states.set(name, state);
    if (before !== undefined && before.vectors !== state.vectors) tf.dispose(before.vectors);
  }

  delete(name: string): void {
    const before = this.#states.get(name);
    this.#states.delete(name);
    if (before !== undefined) tf.dispose(before.vectors);
  }

  rename(from: string, to: string): void {
    const state = this.#states.get(from) as WeightState;
    this.#states.delete(from);
    this.#states.set(to, state);
  }

  /**
   * The names by which core knows the weights, and so draws their noise, of these variables and those that join them.
   */
  drawNames(joining: readonly string[] = []): ReadonlyMap<string, string> {
    return drawNames([...this.#states.keys(), ...joining]);
  }

  /** Core's state of variables, as handles in the current scope. */
  coreState({ take }: TfjsOperations, variables: readonly string[], step: number): OptimizerState {
    const drawn = this.drawNames();
    const tensors = variables.flatMap((name) =>
      Object.entries(this.#states.get(name)!.vectors).map(
        ([vector, tensor]) => [`${drawn.get(name)}/${vector}`, take(tensor)] as const,
      ),
    );
    return { step, tensors: Object.fromEntries(tensors) };
  }

  named(): NamedTensor[] {
    return [...this.#states].flatMap(([name, { vectors }]) =>
      Object.entries(vectors).map(([vector, tensor]) => ({ name: `${name}/${vector}`, tensor })),
    );
  }
}

/** The tensors of core's state by weight and vector, kept beyond every `tf.tidy`. */
export function keptVectors(
  { give }: TfjsOperations,
  state: OptimizerState,
): Record<string, Record<string, tf.Tensor>> {
  const weights: Record<string, Record<string, tf.Tensor>> = {};
  for (const [name, handle] of Object.entries(state.tensors)) {
    const [weight, vector] = splitName(name);
    weights[weight] ??= {};
    weights[weight][vector] = give(handle);
  }
  return weights;
}

export interface SavedState {
  readonly rule: Rule;
  readonly shape: readonly number[];
  readonly vectors: Record<string, tf.Tensor>;
  /** Variables that may be the saved one under another name, since they hold its weights. */
  readonly copies: readonly string[];
}

/**
 * Saved tensors by weight, each weight checked by the rule that is to update it: no vector is missing, unknown, or of a
 * shape that the rule cannot use.
 *
 * @throws LmdError `CHECKPOINT_MISMATCH` naming the tensor or the weight
 */
export function groupSaved(
  operations: TfjsOperations,
  saved: readonly NamedTensor[],
  { rules, ruleChooser, seed }: ResolvedOptimizerOptions,
): Map<string, SavedState> {
  const weights = new Map<string, Record<string, tf.Tensor>>();
  for (const { name, tensor } of saved) {
    const [weight, vector] = splitName(name);
    weights.set(weight, { ...weights.get(weight), [vector]: tensor });
  }
  const grouped = new Map<string, SavedState>();
  const ruleOf = ruleChooser([...weights.keys()]);
  for (const [weight, vectors] of weights) {
    const rule: Rule = 'weight' in vectors ? 'adamw' : 'lmd';
    const shape = operations.ops.scope(() => {
      const handles = Object.entries(vectors).map(([vector, tensor]) => [
        `${weight}/${vector}`,
        operations.take(tensor),
      ]);
      const state = { step: 0, tensors: Object.fromEntries(handles) };
      try {
        // Evaluating reads every vector of the state, and the rule refuses what it does not know.
        return rules[rule].weights(operations.ops, state, undefined, { seed, step: 0, sample: 0 })[weight]!.shape;
      } catch (cause) {
        throw mismatch(weight, `the saved state of "${weight}" is not this optimizer's`, remedyOptions, cause);
      }
    });
    if (ruleOf(weight, shape) !== rule) {
      throw mismatch(
        weight,
        `the saved state of "${weight}" is of ${rule}, and ${ruleOf(weight, shape)} is to update it`,
        remedyOptions,
      );
    }
    grouped.set(weight, { rule, shape, vectors, copies: [] });
  }
  return grouped;
}

const remedyOptions = 'Create the optimizer with the options with which it was saved.';

function splitName(name: string): [string, string] {
  const slash = name.lastIndexOf('/');
  if (slash > 0) return [name.slice(0, slash), name.slice(slash + 1)];
  throw mismatch(name, `the saved tensor "${name}" names no variable`, 'A name "<variable>/<vector>" is expected.');
}

export function mismatch(subject: string, message: string, remedy: string, cause?: unknown): LmdError {
  return new LmdError(
    'CHECKPOINT_MISMATCH',
    `LMDOptimizer: ${message}${cause === undefined ? '' : ` (${(cause as Error).message})`}.`,
    {
      subject,
      remedy,
      cause,
    },
  );
}
