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
import { hasNameOf, variableNamed } from './variables.js';
import { keptVectors, mismatch, type NamedTensor, type SavedState, WeightStates } from './weight-states.js';

/**
 * What `LMDOptimizer` keeps: a state for each variable by its name, and the way between these, core's rules and the
 * variables. It counts no steps.
 */
export class Posterior {
  #options: ResolvedOptimizerOptions;
  readonly #states = new WeightStates();
  /**
   * States that `restore` brought and no variable has claimed yet, each with the variables that may be renamed copies
   * of its own.
   */
  readonly #unclaimed = new Map<string, readonly string[]>();

  constructor(options: ResolvedOptimizerOptions) {
    this.#options = options;
  }

  /** Takes other options, which the states that are there must agree with. */
  reconfigure(options: ResolvedOptimizerOptions): void {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#states.names().length === 0;
  }

  /**
   * The variables that have no state yet. After `restore`, a copy of the variable that a state was saved for takes it
   * over, and a variable without a state is an error while there are states without a variable: most likely they belong
   * together.
   */
  withoutState(variables: readonly tf.Variable[]): tf.Variable[] {
    const names = namesOf(variables);
    this.#takeOver(names);
    const fresh = variables.filter(({ name }) => this.#states.get(name) === undefined);
    if (fresh.length > 0) this.#checkFresh(fresh, names);
    return fresh;
  }

  /**
   * First states of variables, from the values that they hold and their root mean squares, read back at once by
   * default.
   */
  start(variables: readonly tf.Variable[], scales?: ReadonlyMap<string, number>): void {
    if (variables.length === 0) return;
    const operations = currentOperations();
    const { rules, lmdFor, ruleChooser } = this.#options;
    const drawn = this.#states.drawNames(namesOf(variables));
    const ruleOf = ruleChooser([...drawn.keys()]);
    operations.ops.scope(() => {
      for (const rule of ['lmd', 'adamw'] as const) {
        const own = variables
          .filter(({ name, shape }) => ruleOf(name, shape) === rule)
          .map((variable) => ({ variable, drawnAs: drawn.get(variable.name)! }));
        if (own.length === 0) continue;
        const weights = Object.fromEntries(own.map(({ drawnAs, variable }) => [drawnAs, operations.take(variable)]));
        const ownDrawn = new Map(own.map(({ drawnAs, variable }) => [variable.name, drawnAs]));
        const optimizer = rule === 'lmd' ? lmdFor([...drawn.keys()], ownDrawn) : rules.adamw;
        const known =
          scales === undefined
            ? scalesOf(operations, rule === 'lmd' ? weights : {})
            : new Map(own.map(({ drawnAs, variable: { name } }) => [drawnAs, scales.get(name) ?? Number.NaN]));
        const vectors = keptVectors(operations, optimizer.initFromScales!(operations.ops, weights, known));
        for (const { drawnAs, variable } of own) {
          const { name, shape, dataId } = variable;
          this.#states.set(name, { rule, shape: [...shape], vectors: vectors[drawnAs]!, assigned: dataId });
        }
      }
    });
  }

  /**
   * Refuses a variable that something else assigned to since the optimizer last did, or whose shape is another than its
   * state's.
   */
  claim({ name, shape, dataId }: tf.Variable): void {
    const state = this.#states.get(name)!;
    if (!sameShape(state.shape, shape)) {
      const message = `the state of "${name}" has shape [${state.shape}], the variable [${shape}]`;
      throw mismatch(name, message, 'Call optimizer.restart() to restart from the current values.');
    }
    if (this.#unclaimed.delete(name)) this.#states.set(name, { ...state, assigned: dataId });
    else if (state.assigned !== dataId) {
      throw new LmdError(
        'INVALID_ARGUMENT',
        `LMDOptimizer: other code assigned to the variable "${name}" since the last step.`,
        {
          subject: name,
          remedy:
            'The optimizer owns its weights, and the new value would be lost. Call optimizer.restart() to ' +
            'restart from it.',
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
      const drawn = this.#states.drawNames();
      for (const [rule, own] of this.#byRule(variables)) {
        const passes: Pass[] = gradients.map((pass, sample) => ({
          key: keys[sample]!,
          gradients: Object.fromEntries(own.map(({ name }) => [drawn.get(name)!, operations.take(pass[name]!)])),
        }));
        const state = this.#states.coreState(operations, namesOf(own), keys[0]!.step);
        const vectors = keptVectors(operations, rules[rule].update(operations.ops, state, passes));
        for (const { name } of own) {
          this.#states.set(name, { ...this.#states.get(name)!, vectors: vectors[drawn.get(name)!]! });
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
    // Before it frees its own, which may be the same tensors.
    const kept = [...saved].map(([name, { rule, shape, vectors }]) => {
      const own = Object.entries(vectors).map(([vector, tensor]) => [vector, tf.keep(tf.clone(tensor))] as const);
      return [name, { rule, shape, vectors: Object.fromEntries(own), assigned: undefined }] as const;
    });
    this.forget();
    for (const [name, state] of kept) {
      this.#states.set(name, state);
      this.#unclaimed.set(name, saved.get(name)!.copies);
    }
  }

  #assign(
    variables: readonly tf.Variable[],
    step: number,
    weights: (rule: Rule, operations: TfjsOperations, state: OptimizerState) => NamedTensors,
  ): void {
    const operations = currentOperations();
    operations.ops.scope(() => {
      const drawn = this.#states.drawNames();
      for (const [rule, own] of this.#byRule(variables)) {
        const tensors = weights(rule, operations, this.#states.coreState(operations, namesOf(own), step));
        for (const variable of own) {
          const tensor = operations.give(tensors[drawn.get(variable.name)!] as Tensor);
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

  #byRule(variables: readonly tf.Variable[]): (readonly [Rule, tf.Variable[]])[] {
    return (['lmd', 'adamw'] as const)
      .map((rule) => [rule, variables.filter(({ name }) => this.#states.get(name)!.rule === rule)] as const)
      .filter(([, own]) => own.length > 0);
  }

  /**
   * Gives states that no variable of their own name claims to the renamed copies of these, where each side has one
   * choice.
   */
  #takeOver(trained: readonly string[]): void {
    const stateless = trained.filter((name) => this.#states.get(name) === undefined);
    const claims = [...this.#unclaimed]
      .filter(([saved]) => !trained.includes(saved))
      .map(([saved, copies]) => ({ saved, claimants: copies.filter((copy) => stateless.includes(copy)) }));
    for (const { saved, claimants } of claims) {
      const [name] = claimants;
      if (claimants.length !== 1 || claims.filter((claim) => claim.claimants.includes(name!)).length !== 1) continue;
      this.#states.rename(saved, name!);
      this.#unclaimed.delete(saved);
      this.#unclaimed.set(name!, []);
    }
  }

  #checkFresh(fresh: readonly tf.Variable[], trained: readonly string[]): void {
    const names = namesOf(fresh);
    const missing = [...this.#unclaimed.keys()].filter((name) => !trained.includes(name));
    if (missing.length > 0) {
      throw mismatch(
        names[0]!,
        `there is no saved state for ${names.join(', ')}, and no variable to train for the saved ones of ` +
          `${missing.join(', ')}`,
        'Train the variables of the saved state, with their names, or call optimizer.restart() to start without it.',
      );
    }
    for (const [option, name] of this.#options.namedVariables) {
      if (hasNameOf(name)) continue;
      throw new LmdError('INVALID_ARGUMENT', `LMDOptimizer: ${option} contains "${name}", which is not a variable.`, {
        subject: name,
        remedy: `The variables are: ${names.join(', ')}.`,
      });
    }
  }
}

function namesOf(variables: readonly tf.Variable[]): string[] {
  return variables.map(({ name }) => name);
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
      remedy: 'Before the first step, call await optimizer.initialize(variables).',
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
