import { type AdamwOptions, type DrawKey, LmdError, type LmdOptions, type Schedule } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkProperties, defineHyperparameters } from './hyperparameters.js';
import {
  configOf,
  type LMDOptimizerOptions,
  optionsOf,
  type ResolvedOptimizerOptions,
  resolveOptimizerOptions,
} from './lmd-optimizer-options.js';
import { currentOperations } from './operations.js';
import { Posterior } from './posterior.js';
import { checkSavedNames, withCopies } from './renamed-copies.js';
import { trainableVariables, variableNamed } from './variables.js';
import { groupSaved, mismatch, type NamedTensor } from './weight-states.js';

type Gradients = { value: tf.Scalar; grads: tf.NamedTensorMap };

/**
 * Log-Normal Multiplicative Dynamics as an optimizer of TensorFlow.js: for `optimizer.minimize(f)`,
 * `model.compile({ optimizer })` and `fit`, and `computeGradients` with `applyGradients`. It uses `lmd` of `@lmd/core`
 * (Nishida et al., arXiv:2506.17768, a reconstruction), and `adamw` for the variables selected by `adamwFor`.
 *
 * The optimizer owns the weights. While `f` runs, the variables hold a posterior sample; before and after, even if `f`
 * throws, they hold the evaluation weights (`evaluation`, by default the mean). If other code assigns to a trained
 * variable, the next step throws, since the new value would be lost: see `restart`. Variables are identified by name. A
 * variable that the loss does not depend on is not changed, and one that appears later joins with the common step
 * count.
 *
 * Every option is also a property, and an assignment applies from the next step: `optimizer.learningRate = 0.001`, and
 * `optimizer.adamw.learningRate` for AdamW's variables. See `LMDOptimizerOptions`. An unknown property throws, at the
 * latest in the next step.
 *
 * Memory: five tensors per matrix (four with `gradientScaling: 'none'`), three per variable of AdamW.
 */
export class LMDOptimizer extends tf.Optimizer {
  /** @nocollapse */
  static get className(): string {
    return 'LMDOptimizer';
  }

  declare learningRate: number | Schedule;
  declare beta1: number;
  declare beta2: number;
  declare regularization: number | Schedule;
  declare regularizer: NonNullable<LmdOptions['regularizer']>;
  declare regularizerAt: NonNullable<LmdOptions['regularizerAt']>;
  declare noise: number | Schedule;
  declare samples: number;
  declare gradientScaling: NonNullable<LmdOptions['gradientScaling']>;
  declare useSign: boolean;
  declare priorMedianFloor: number;
  declare initialization: NonNullable<LmdOptions['initialization']>;
  declare priorMedian: LmdOptions['priorMedian'];
  declare evaluation: NonNullable<LmdOptions['evaluation']>;
  declare evaluationSamples: number;
  declare stateFormat: NonNullable<LmdOptions['stateFormat']>;
  declare seed: number;
  declare adamwFor: NonNullable<LMDOptimizerOptions['adamwFor']>;
  declare adamw: { -readonly [name in keyof AdamwOptions]: AdamwOptions[name] };

  static {
    defineHyperparameters<LMDOptimizer>(LMDOptimizer.prototype, (optimizer) => ({
      options: () => optimizer.#options,
      hasState: () => !optimizer.#posterior.isEmpty,
      reconfigure: (options) => optimizer.#reconfigure(options),
    }));
  }

  #options: LMDOptimizerOptions;
  #resolved: ResolvedOptimizerOptions;
  readonly #posterior: Posterior;
  /** Variables whose gradients were last taken at a draw, until they are applied. */
  #drawn: ReadonlySet<string> = new Set();
  /** What the loss kept at the draws after the first of the last step. */
  #keptByLoss: tf.Tensor[] = [];
  /** Fields that TensorFlow.js's own class has; undefined in a subclass, which may have others. */
  readonly #fields: readonly string[] | undefined;

  /** @throws LmdError `UNKNOWN_OPTION` or `INVALID_ARGUMENT`, naming the option */
  constructor(options: LMDOptimizerOptions = {}) {
    super();
    this.#resolved = resolveOptimizerOptions(options);
    this.#options = options;
    this.#posterior = new Posterior(this.#resolved);
    this.iterations_ = 0;
    this.#fields = new.target === LMDOptimizer ? Object.keys(this) : undefined;
  }

  /** As the method of TensorFlow.js's own SGD and momentum. */
  setLearningRate(learningRate: number | Schedule): void {
    this.learningRate = learningRate;
  }

  /**
   * Reads the scale of the variables for the first step, for engines without synchronous reads: on WebGPU, await this
   * before the first step. On other engines it is not needed.
   */
  async initialize(varList?: tf.Variable[]): Promise<void> {
    const fresh = this.#posterior.withoutState(trainableVariables(varList));
    const squares = fresh.map((variable) => tf.tidy(() => tf.mean(tf.square(variable))));
    try {
      const means = await Promise.all(squares.map((square) => square.data()));
      const scales = new Map(fresh.map(({ name }, index) => [name, Math.sqrt(means[index]![0]!)]));
      this.#posterior.start(fresh, scales);
    } finally {
      tf.dispose(squares);
    }
  }

  /**
   * One step: `samples` evaluations of `f` and its gradients at posterior samples, then one update. Tensors that `f`
   * keeps with `tf.keep` in the second and later evaluations are freed in the next step, since `fit` keeps its metrics
   * and expects one evaluation.
   *
   * @returns the loss averaged over the samples, if `returnCost` is true
   */
  override minimize(f: () => tf.Scalar, returnCost = false, varList?: tf.Variable[]): tf.Scalar | null {
    const variables = this.#prepare(f, varList);
    const passes: Gradients[] = [];
    this.#freeKeptByLoss();
    try {
      for (let sample = 0; sample < this.#resolved.rules.lmd.samples; sample++) {
        passes.push(
          this.#posterior.atDraw(variables, this.#key(sample), () =>
            tf.variableGrads(sample === 0 ? f : this.#noting(f), variables),
          ),
        );
      }
      this.#update(passes.map(({ grads }) => grads));
      return returnCost ? meanOf(passes.map(({ value }) => value)) : null;
    } finally {
      tf.dispose(passes.map(({ grads }) => grads));
      if (!returnCost || passes.length > 1) tf.dispose(passes.map(({ value }) => value));
    }
  }

  /**
   * The loss and its gradients at the posterior sample of this step. Further calls before `applyGradients` use the same
   * sample, so gradients of several batches can be accumulated.
   *
   * @throws LmdError `UNSUPPORTED` with `samples` above 1, where gradients belong to different samples: use `minimize`
   */
  override computeGradients(f: () => tf.Scalar, varList?: tf.Variable[]): Gradients {
    this.#checkOneSample('computeGradients');
    const variables = this.#prepare(f, varList);
    const result = this.#posterior.atDraw(variables, this.#key(0), () => tf.variableGrads(f, variables));
    this.#drawn = new Set(variables.map(({ name }) => name));
    return result;
  }

  /**
   * One update from gradients of `computeGradients`, which may have been modified (clipped, averaged).
   *
   * @throws LmdError `INVALID_ARGUMENT` for a gradient of a variable that `computeGradients` has not sampled in this
   * step: the optimizer needs gradients at its own posterior sample
   */
  override applyGradients(variableGradients: tf.NamedTensorMap | NamedTensor[]): void {
    this.#checkOneSample('applyGradients');
    const gradients: tf.NamedTensorMap = Array.isArray(variableGradients)
      ? Object.fromEntries(variableGradients.map(({ name, tensor }) => [name, tensor]))
      : variableGradients;
    for (const [name, gradient] of Object.entries(gradients)) {
      if (gradient == null || this.#drawn.has(name)) continue;
      variableNamed(name);
      throw new LmdError(
        'INVALID_ARGUMENT',
        `LMDOptimizer: the gradient of "${name}" was not computed at a posterior sample of this step.`,
        {
          subject: name,
          remedy: 'Use optimizer.minimize(f), or optimizer.computeGradients(f) instead of tf.variableGrads(f).',
        },
      );
    }
    this.#update([gradients]);
    this.#drawn = new Set();
  }

  /**
   * Restarts variables from their current values, by default all of them, for example after other code assigned to
   * them.
   */
  restart(varList?: tf.Variable[]): void {
    this.#posterior.forget(varList?.map(({ name }) => name));
  }

  /**
   * The count of steps, `iter`, and the state, named `<variable>/<vector>`. The optimizer owns the tensors, which are
   * valid until the next step.
   */
  override async getWeights(): Promise<NamedTensor[]> {
    return [await this.saveIterations(), ...this.#posterior.named()];
  }

  /**
   * Takes a state that `getWeights` gave, in any order; the tensors stay the caller's. The next step continues from it:
   * the variable of the saved name, whatever it holds. Where tfjs-layers loads a model a second time in one program, it
   * puts `_1` and the like after the names of variables: such a copy continues from the state too, if it holds the
   * saved weights when `setWeights` is called and no other variable that is trained with it could be meant. It draws
   * the noise that the original would have drawn.
   *
   * @throws LmdError `INVALID_ARGUMENT` for a name that no variable of this program has; `CHECKPOINT_MISMATCH` for a
   *   state of other options or shapes. Nothing is changed then.
   */
  override async setWeights(weightValues: NamedTensor[]): Promise<void> {
    const counter = weightValues.find(({ name }) => name === 'iter');
    if (counter === undefined)
      throw mismatch('iter', 'the saved state has no step count', 'A tensor "iter" is expected.');
    const step = (await counter.tensor.data())[0]!;
    const saved = groupSaved(
      currentOperations(),
      weightValues.filter((value) => value !== counter),
      this.#resolved,
    );
    const { samples } = this.#resolved.rules.lmd;
    const evaluated = { seed: this.#resolved.seed, step, sample: samples };
    const found = await withCopies(currentOperations(), saved, this.#resolved, evaluated);
    checkSavedNames(found);
    this.#posterior.restore(found);
    this.iterations_ = step;
    this.#drawn = new Set();
  }

  /** Frees the state. The variables keep the evaluation weights. */
  override dispose(): void {
    this.#freeKeptByLoss();
    this.restart();
    this.iterations_ = 0;
  }

  /** @throws LmdError `UNSUPPORTED` where an option is a function, such as a schedule */
  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.#options) as tf.serialization.ConfigDict;
  }

  /** @nocollapse */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls(optionsOf(config) as tf.serialization.ConfigDict);
  }

  #reconfigure(options: LMDOptimizerOptions): void {
    const resolved = resolveOptimizerOptions(options);
    const { seed, noise } = this.#options;
    // Gradients at a draw of other noise would not be this step's.
    if (options.seed !== seed || options.noise !== noise) this.#drawn = new Set();
    this.#options = options;
    this.#resolved = resolved;
    this.#posterior.reconfigure(resolved);
  }

  #prepare(f: unknown, varList: tf.Variable[] | undefined): tf.Variable[] {
    if (typeof f !== 'function') {
      throw new LmdError('INVALID_ARGUMENT', 'LMDOptimizer: the loss is not a function.', {
        subject: 'f',
        value: f,
        remedy: 'Use a function that returns a scalar: () => tf.losses.meanSquaredError(y, model.predict(x)).',
      });
    }
    if (this.#fields !== undefined) checkProperties(this, this.#fields);
    const variables = trainableVariables(varList);
    this.#posterior.start(this.#posterior.withoutState(variables));
    for (const variable of variables) this.#posterior.claim(variable);
    return variables;
  }

  #update(passes: readonly tf.NamedTensorMap[]): void {
    const keys = passes.map((_, sample) => this.#key(sample));
    // A sample to evaluate is fresh noise: the one after those of the draws.
    this.#posterior.update(passes, keys, { ...this.#key(passes.length), step: this.iterations + 1 });
    this.incrementIterations();
  }

  #noting(f: () => tf.Scalar): () => tf.Scalar {
    return () => {
      const value = f();
      const tracked = tf.engine().state.activeScope?.track ?? [];
      this.#keptByLoss.push(...tracked.filter(({ kept }) => kept));
      return value;
    };
  }

  #freeKeptByLoss(): void {
    tf.dispose(this.#keptByLoss.filter(({ isDisposed }) => !isDisposed));
    this.#keptByLoss = [];
  }

  #key(sample: number): DrawKey {
    return { seed: this.#resolved.seed, step: this.iterations, sample };
  }

  #checkOneSample(method: string): void {
    const { samples } = this.#resolved.rules.lmd;
    if (samples === 1) return;
    throw new LmdError(
      'UNSUPPORTED',
      `LMDOptimizer: samples is ${samples}, but ${method} supports one sample per step.`,
      {
        subject: 'samples',
        value: samples,
        remedy: 'Use optimizer.minimize(f), or samples: 1.',
      },
    );
  }
}

function meanOf(values: tf.Scalar[]): tf.Scalar {
  if (values.length === 1) return values[0]!;
  return tf.tidy(() => tf.div(tf.addN(values), values.length));
}

tf.serialization.registerClass(LMDOptimizer);
