import { LmdError, type NamedTensors, type OptimizerState, type Tensor } from '@lmd/core';
import { version } from '../package.json';
import {
  type Checkpoint,
  checkMatch,
  type LoadedCheckpoint,
  readTensors,
  writeTensors,
} from './checkpoints/checkpoint.js';
import { type BatchQueue, batchQueue } from './data/prefetch.js';
import type { EvaluationResult } from './evaluate.js';
import type { TrainingEvent, TrainStatus } from './events.js';
import { dispatch, guarded } from './hooks.js';
import type { PluginState, TrainingRun } from './plugin.js';
import type { StepContext } from './step.js';
import type { TrainPlan } from './train-options.js';

/** The one place where a run changes: its state, its counters and what it was told to do. */
export class Run implements TrainingRun {
  readonly ops;
  readonly model;
  readonly optimizer;
  readonly precision;
  readonly data;
  readonly seed;
  readonly totalSteps;
  readonly batches: BatchQueue;
  step = 0;
  startStep = 0;
  loss: number | undefined;
  validation: (EvaluationResult & { readonly step: number }) | undefined;
  stopReason: string | undefined;
  /** Set when no further step follows. */
  ending: TrainStatus | undefined;
  /** True between steps, when state and plugins belong together and can be saved. */
  settled = false;
  closed = false;
  /** Time in steps and examples seen by this part of the run, for its speed. */
  stepSeconds = 0;
  samples = 0;
  /** Path and step of the newest checkpoint that a plugin announced. */
  saved: { readonly path: string; readonly step: number } | undefined;
  #state: OptimizerState | undefined;
  #secondsBefore = 0;
  readonly #began = performance.now();
  #breathed = performance.now();

  constructor(readonly plan: TrainPlan) {
    const { ops, model, optimizer, precision, data, seed, totalSteps } = plan;
    this.ops = ops;
    this.model = model;
    this.optimizer = optimizer;
    this.precision = precision;
    this.data = data;
    this.seed = seed;
    this.totalSteps = totalSteps;
    this.batches = batchQueue(data.train, plan.order, { seed, ahead: plan.prefetch, totalSteps });
  }

  get state(): OptimizerState {
    return this.#state!;
  }

  get stepContext(): StepContext {
    const { ops, model, optimizer, precision, seed, plan } = this;
    return { ops, model, optimizer, precision, seed, microBatchSize: plan.microBatchSize };
  }

  /** Time since the run began, earlier parts of a resumed run included. */
  get seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#began) / 1000;
  }

  /** Initial weights and state, or those of the checkpoint. Plugins are restored later, by `restorePlugins`. */
  async initialize(resume: LoadedCheckpoint | undefined): Promise<void> {
    const { ops, model, optimizer, seed, plan } = this;
    const weights = model.initialize(ops, seed);
    try {
      this.#state = await optimizer.init(ops, weights);
    } finally {
      ops.dispose(weights);
    }
    const checkpoint = resume?.checkpoint;
    if (checkpoint === undefined) return;
    checkMatch(checkpoint, plan.identity, this.state);
    this.#checkPlugins(checkpoint);
    if (checkpoint.step > this.totalSteps) {
      throw new LmdError('CHECKPOINT_MISMATCH', `The checkpoint is at step ${checkpoint.step} of ${this.totalSteps}.`, {
        subject: 'steps',
        value: this.totalSteps,
        remedy: 'Ask for at least as many steps as the checkpoint has.',
      });
    }
    // A file sorts its tensors. In the order of a fresh state, so that whatever goes over the state goes as in an
    // uninterrupted run.
    const tensors = Object.fromEntries(
      Object.keys(this.state.tensors).map((name) => [name, checkpoint.tensors[name]!]),
    );
    // Freed first: two states may be more than there is room for.
    ops.dispose(this.state.tensors);
    this.#state = { step: checkpoint.optimizerStep, tensors: {} };
    this.#state = { step: checkpoint.optimizerStep, tensors: writeTensors(ops, tensors) };
    this.step = checkpoint.step;
    this.startStep = checkpoint.step;
    this.loss = checkpoint.lastLoss;
    this.validation = checkpoint.lastValidation;
    this.#secondsBefore = checkpoint.seconds;
    if (resume?.path !== undefined) this.saved = { path: resume.path, step: checkpoint.step };
  }

  /** Gives each plugin with memory what the checkpoint holds for it. */
  async restorePlugins(states: Checkpoint['plugins'] | undefined): Promise<void> {
    if (states === undefined) return;
    for (const plugin of this.plan.plugins) {
      const saved = states[plugin.name];
      if (plugin.restore === undefined || saved === undefined) continue;
      const state: PluginState = {
        ...(saved.data === undefined ? {} : { data: saved.data }),
        tensors: writeTensors(this.ops, saved.tensors ?? {}),
      };
      try {
        await guarded(plugin, 'restore', () => plugin.restore!(state, this));
      } catch (error) {
        // What it has not taken over, and so will not free.
        for (const tensor of Object.values(state.tensors!)) if (!this.ops.isDisposed(tensor)) this.ops.dispose(tensor);
        throw error;
      }
    }
  }

  /** A plugin with memory that the checkpoint lacks, or the reverse, would make another run of it. */
  #checkPlugins({ plugins: states }: Checkpoint): void {
    const remembering = this.plan.plugins.filter(({ restore }) => restore !== undefined).map(({ name }) => name);
    const missing = Object.keys(states).find((name) => !remembering.includes(name));
    const unknown = remembering.find((name) => states[name] === undefined);
    const name = missing ?? unknown;
    if (name === undefined) return;
    throw new LmdError(
      'CHECKPOINT_MISMATCH',
      missing === undefined
        ? `The checkpoint holds no state for plugin "${name}".`
        : `The checkpoint holds the state of plugin "${name}", which this run lacks.`,
      { subject: 'plugins', value: name, remedy: 'Resume with the plugins that the run began with.' },
    );
  }

  replaceState(next: OptimizerState): void {
    const previous = this.state;
    this.#state = next;
    this.ops.dispose(previous.tensors);
  }

  /** The state that `make` makes and frees the present one for; without one where it throws. Gives its report. */
  passState(make: () => { readonly state: OptimizerState; readonly report: Tensor }): Tensor {
    this.#state = { step: this.state.step, tensors: {} };
    const { state, report } = make();
    this.#state = state;
    return report;
  }

  evaluationWeights(): NamedTensors {
    for (const plugin of [...this.plan.plugins].reverse()) {
      const weights = plugin.weights?.(this);
      if (weights !== undefined) return weights;
    }
    // The sample after those of the training draws, so that evaluation sees fresh noise.
    const key = { seed: this.seed, step: this.step, sample: this.optimizer.samples };
    return this.optimizer.weights(this.ops, this.state, this.plan.evaluationWeights, key);
  }

  async snapshot(): Promise<Checkpoint> {
    const { ops, plan } = this;
    const plugins: [string, Checkpoint['plugins'][string]][] = [];
    for (const plugin of plan.plugins) {
      if (plugin.state === undefined) continue;
      const { data, tensors } = await guarded(plugin, 'state', () => plugin.state!());
      plugins.push([
        plugin.name,
        { ...(data === undefined ? {} : { data }), tensors: await readTensors(ops, tensors ?? {}) },
      ]);
    }
    return {
      step: this.step,
      optimizerStep: this.state.step,
      tensors: await readTensors(ops, this.state.tensors),
      plugins: Object.fromEntries(plugins),
      identity: plan.identity,
      ...(this.loss === undefined ? {} : { lastLoss: this.loss }),
      ...(this.validation === undefined ? {} : { lastValidation: this.validation }),
      seconds: this.seconds,
      versions: { training: version, backend: ops.backend.name, device: ops.backend.device },
    };
  }

  async announce(event: TrainingEvent): Promise<void> {
    if (event.type === 'checkpoint') this.saved = { path: event.path, step: event.step };
    await dispatch(this.plan.plugins, event, this);
  }

  async warn(message: string): Promise<void> {
    await this.announce({ type: 'warning', step: this.step, message });
  }

  stop(reason: string): void {
    this.stopReason ??= reason;
  }

  reasonToEnd(): TrainStatus | undefined {
    if (this.step >= this.totalSteps) return 'finished';
    if (this.stopReason !== undefined) return 'stopped';
    return this.plan.signal?.aborted === true ? 'interrupted' : undefined;
  }

  /** Lets timers and signals run, which a backend that computes at once would starve; rarely enough to cost nothing. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#breathed < 50) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#breathed = performance.now();
  }

  dispose(): void {
    if (this.#state !== undefined) this.ops.dispose(this.#state.tensors);
    this.#state = undefined;
  }
}
