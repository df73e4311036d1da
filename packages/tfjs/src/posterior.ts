import {
  type DrawKey,
  isLmdError,
  LmdError,
  type NamedTensors,
  type OptimizerState,
  type Pass,
  type Tensor,
} from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedOptimizerOptions, Rule } from './lmd-optimizer-options.js';
import { currentOperations, type TfjsOperations } from './operations.js';
import { baseName, hasNameOf, variableNamed } from './variables.js';
import {
  keptVectors,
  mismatch,
  type NamedTensor,
  type SavedState,
  type WeightState,
  WeightStates,
} from './weight-states.js';

/**
 * What `LMDOptimizer` keeps: a state for each variable by its name, and the way between these, core's rules and the variables. It
 * counts no steps.
 */
export class Posterior {
  readonly #options: ResolvedOptimizerOptions;
  readonly #states = new WeightStates();
  /** States that `restore` brought and no variable has claimed yet. */
  readonly #unclaimed = new Set<string>();

  constructor(options: ResolvedOptimizerOptions) {
    this.#options = options;
  }

  /**
   * The variables that have no state yet. After `restore`, a copy of the variable that a state was saved for takes it over, and a
   * variable without a state is an error while there are states without a variable: most likely they belong together.
   */
  withoutState(variables: readonly tf.Variable[]): tf.Variable[] {
    const fresh = variables.filter(
      (variable) => this.#states.get(variable.name) === undefined && !this.#takeOver(variable),
    );
    if (fresh.length > 0) this.#checkFresh(fresh);
    return fresh;
  }

  /** First states of variables, from the values that they hold and their root mean squares, read back at once by default. */
  start(variables: readonly tf.Variable[], scales?: ReadonlyMap<string, number>): void {
    if (variables.length === 0) return;
    const operations = currentOperations();
    const { rules, lmdFor, ruleOf } = this.#options;
    const named = this.#nameFresh(variables);
    operations.ops.scope(() => {
      for (const rule of ['lmd', 'adamw'] as const) {
        const own = named.filter(({ savedAs, variable: { shape } }) => ruleOf(savedAs, shape) === rule);
        if (own.length === 0) continue;
        const weights = Object.fromEntries(own.map(({ savedAs, variable }) => [savedAs, operations.take(variable)]));
        const optimizer = rule === 'lmd' ? lmdFor(Object.keys(weights)) : rules.adamw;
        const known =
          scales === undefined
            ? scalesOf(operations, rule === 'lmd' ? weights : {})
            : new Map(own.map(({ savedAs, variable: { name } }) => [savedAs, scales.get(name) ?? Number.NaN]));
        const vectors = keptVectors(operations, optimizer.initFromScales!(operations.ops, weights, known));
        for (const { savedAs, variable } of own) {
          const { name, shape, dataId } = variable;
          this.#states.set(name, { rule, shape: [...shape], savedAs, vectors: vectors[savedAs]!, assigned: dataId });
        }
      }
    });
  }

  /** Refuses a variable that something else assigned to since the optimizer last did, or whose shape is another than its state's. */
  claim({ name, shape, dataId }: tf.Variable): void {
    const state = this.#states.get(name)!;
    if (!sameShape(state.shape, shape)) {
      const message = `the state of "${name}" has shape [${state.shape}], the variable [${shape}]`;
      throw mismatch(name, message, 'Call optimizer.restart() to begin anew from what the variables hold.');
    }
    if (this.#unclaimed.delete(name)) this.#states.set(name, { ...state, assigned: dataId });
    else if (state.assigned !== dataId) {
      throw new LmdError(
        'INVALID_ARGUMENT',
        `LMDOptimizer: something else assigned to the variable "${name}" since the last step.`,
        {
          subject: name,
          remedy:
            'The optimizer owns its weights, and the new value would be lost. Call optimizer.restart() to begin anew from it.',
        },
      );
    }
  }

  /** Runs `body` with the variables at a draw, and puts back what they held, also where it throws. */
  atDraw<T>(variables: readonly tf.Variable[], key: DrawKey, body: () => T): T {
    const before = variables.map((variable) => tf.keep(shared(variable)));
    try {
      this.#assign(variables, key.step, (rule, { ops }, state) => this.#options.rules[rule].draw(ops, state, key));
      return body();
    } finally {
      for (const [index, variable] of variables.entries()) {
        if (!variable.isDisposed) this.#put(variable, before[index]!);
      }
      tf.dispose(before);
    }
  }

  /** One update of the variables that every pass has a gradient for; they then hold the evaluation weights. */
  update(gradients: readonly tf.NamedTensorMap[], keys: readonly DrawKey[], evaluationKey: DrawKey): void {
    const names = Object.keys(gradients[0]!).filter((name) => gradients.every((pass) => pass[name] != null));
    const variables = names.map(variableNamed);
    const operations = currentOperations();
    const { rules } = this.#options;
    operations.ops.scope(() => {
      for (const [rule, own, states] of this.#byRule(variables)) {
        const passes: Pass[] = gradients.map((pass, sample) => ({
          key: keys[sample]!,
          gradients: Object.fromEntries(
            own.map(({ name }, index) => [states[index]!.savedAs, operations.take(pass[name]!)]),
          ),
        }));
        const state = this.#states.coreState(operations, states, keys[0]!.step);
        const vectors = keptVectors(operations, rules[rule].update(operations.ops, state, passes));
        for (const [index, { name }] of own.entries()) {
          const before = states[index]!;
          this.#states.set(name, { ...before, vectors: vectors[before.savedAs]! });
        }
      }
    });
    this.#assign(variables, evaluationKey.step, (rule, { ops }, state) =>
      rules[rule].weights(ops, state, undefined, evaluationKey),
    );
  }

  forget(names: readonly string[] = this.#states.names()): void {
    for (const name of names) {
      this.#states.delete(name);
      this.#unclaimed.delete(name);
    }
  }

  named(): NamedTensor[] {
    return this.#states.named();
  }

  /** Takes saved states, whose tensors stay the caller's, in place of all that it has. */
  restore(saved: ReadonlyMap<string, SavedState>): void {
    // Before it frees its own, which may be the very ones.
    const copies = [...saved].map(([name, { rule, shape, vectors }]) => {
      const kept = Object.entries(vectors).map(([vector, tensor]) => [vector, tf.keep(tf.clone(tensor))] as const);
      return { rule, shape, savedAs: name, vectors: Object.fromEntries(kept), assigned: undefined };
    });
    this.forget();
    for (const copy of copies) {
      this.#states.set(copy.savedAs, copy);
      this.#unclaimed.add(copy.savedAs);
    }
  }

  #assign(
    variables: readonly tf.Variable[],
    step: number,
    weights: (rule: Rule, operations: TfjsOperations, state: OptimizerState) => NamedTensors,
  ): void {
    const operations = currentOperations();
    operations.ops.scope(() => {
      for (const [rule, own, states] of this.#byRule(variables)) {
        const tensors = weights(rule, operations, this.#states.coreState(operations, states, step));
        for (const [index, variable] of own.entries()) {
          const tensor = operations.give(tensors[states[index]!.savedAs] as Tensor);
          this.#put(variable, tensor);
          tensor.dispose();
        }
      }
    });
  }

  #put(variable: tf.Variable, tensor: tf.Tensor): void {
    variable.assign(tensor);
    this.#states.set(variable.name, { ...this.#states.get(variable.name)!, assigned: variable.dataId });
  }

  #byRule(variables: readonly tf.Variable[]): [Rule, tf.Variable[], WeightState[]][] {
    return (['lmd', 'adamw'] as const)
      .map((rule) => [rule, variables.filter(({ name }) => this.#states.get(name)!.rule === rule)] as const)
      .filter(([, own]) => own.length > 0)
      .map(([rule, own]) => [rule, own, own.map(({ name }) => this.#states.get(name)!)]);
  }

  /**
   * The names that states go by: of a layer's weight without the number that tells copies apart, so that the same model built a second
   * time in one program draws the same, unless two of the variables would then share a name.
   */
  #nameFresh(variables: readonly tf.Variable[]): { readonly savedAs: string; readonly variable: tf.Variable }[] {
    const bases = variables.map(({ name }) => baseName(name));
    return variables.map((variable, index) => {
      const base = bases[index]!;
      const shared = bases.indexOf(base) !== bases.lastIndexOf(base) || this.#states.savedAs(base);
      return { savedAs: shared ? variable.name : base, variable };
    });
  }

  #takeOver({ name, shape }: tf.Variable): boolean {
    const candidates = [...this.#unclaimed].filter(
      (saved) => baseName(saved) === baseName(name) && sameShape(this.#states.get(saved)!.shape, shape),
    );
    if (candidates.length !== 1) return false;
    this.#states.rename(candidates[0]!, name);
    this.#unclaimed.delete(candidates[0]!);
    this.#unclaimed.add(name);
    return true;
  }

  #checkFresh(fresh: readonly tf.Variable[]): void {
    const names = fresh.map(({ name }) => name);
    if (this.#unclaimed.size > 0) {
      throw mismatch(
        names[0]!,
        `there is no saved state for ${names.join(', ')}, and no variable for the saved ones of ${[...this.#unclaimed].join(', ')}`,
        'Build the model with the names that it was saved with, or call optimizer.restart() to begin anew.',
      );
    }
    const taken = names.find((name) => this.#states.savedAs(name));
    if (taken !== undefined) {
      const message = `the state saved for "${taken}" went to a copy of it`;
      throw mismatch(taken, message, 'Train a model and its copy with an optimizer each.');
    }
    for (const name of this.#options.priorMedianNames) {
      if (hasNameOf(name)) continue;
      throw new LmdError('INVALID_ARGUMENT', `LMDOptimizer: priorMedian names "${name}", which is no variable.`, {
        subject: name,
        remedy: `The variables are: ${names.join(', ')}.`,
      });
    }
  }
}

/** Root mean squares, read back at once and together. */
function scalesOf({ ops, readSync }: TfjsOperations, weights: NamedTensors): Map<string, number> {
  const names = Object.keys(weights);
  if (names.length === 0) return new Map();
  const squares = names.map((name) => ops.reshape(ops.mean(ops.multiply(weights[name]!, weights[name]!)), [1]));
  let means: Float32Array;
  try {
    means = readSync(ops.concatenate(squares, 0));
  } catch (cause) {
    if (!isLmdError(cause, 'UNSUPPORTED')) throw cause;
    throw new LmdError('UNSUPPORTED', `LMDOptimizer: ${cause.message}`, {
      subject: 'initialize',
      value: names,
      remedy: 'Wait for it before the first step: await optimizer.initialize(variables).',
      cause,
    });
  }
  return new Map(names.map((name, index) => [name, Math.sqrt(means[index]!)]));
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return tf.util.arraysEqual([...a], [...b]);
}

/** A tensor on the storage of another, so that putting it back leaves the variable as it was. */
function shared(x: tf.Tensor): tf.Tensor {
  const reshaped = tf.reshape(x, x.shape);
  if (reshaped.dataId === x.dataId) return reshaped;
  // tfjs-node shares in a clone alone, wasm in a reshaped tensor alone.
  tf.dispose(reshaped);
  return tf.clone(x);
}
