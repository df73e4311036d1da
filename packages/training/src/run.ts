import { describeValue, LmdError, type NamedTensors, type OptimizerState, type Tensor } from '@lmd/core';
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
import { assertJson } from './json.js';
import type { PluginState, TrainingRun } from './plugin.js';
import type { StepContext } from './step.js';
import type { TrainPlan } from './train-options.js';

/** The mutable part of a run: its state, its counters and its requests. */
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
  /** True between steps, when state and plugins are consistent and can be saved. */
  settled = false;
  closed = false;
  /** Time of the steps and number of examples in this part of the run, for its speed. */
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
    return { ops, model, optimizer, precision, seed, microBatchSize: plan.microBatchSize, loss: plan.loss };
  }

  /** Time since the start of the run, including earlier parts of a resumed run. */
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
        remedy: 'Set steps to at least that of the checkpoint.',
      });
    }
    // A file sorts its tensors. They are restored in the order of a new state, so that loops over the state have the
    // order of an uninterrupted run.
    const tensors = Object.fromEntries(
      Object.keys(this.state.tensors).map((name) => [name, checkpoint.tensors[name]!]),
    );
    // Freed first, since two states may not fit into memory.
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

  /** Restores each stateful plugin from the checkpoint. */
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
        // The tensors that the plugin has not taken over and will not free.
        for (const tensor of Object.values(state.tensors!)) if (!this.ops.isDisposed(tensor)) this.ops.dispose(tensor);
        throw error;
      }
    }
  }

  /** Throws if a stateful plugin is missing in the checkpoint or in this run, since the results would differ. */
  #checkPlugins({ plugins: states }: Checkpoint): void {
    const remembering = this.plan.plugins.filter(({ restore }) => restore !== undefined).map(({ name }) => name);
    const missing = Object.keys(states).find((name) => !remembering.includes(name));
    const unknown = remembering.find((name) => states[name] === undefined);
    const name = missing ?? unknown;
    if (name === undefined) return;
    throw new LmdError(
      'CHECKPOINT_MISMATCH',
      missing === undefined
        ? `The checkpoint has no state of plugin "${name}".`
        : `The checkpoint has a state of plugin "${name}", which is missing in this run.`,
      { subject: 'plugins', value: name, remedy: 'Resume with the original plugins.' },
    );
  }

  replaceState(next: OptimizerState): void {
    const previous = this.state;
    this.#state = next;
    this.ops.dispose(previous.tensors);
  }

  /**
   * Replaces the state by that of `make`, which frees the current one. If `make` throws, there is no state. Returns the
   * report of `make`.
   */
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
    // The sample index after those of training, so that evaluation uses independent noise.
    const key = { seed: this.seed, step: this.step, sample: this.optimizer.samples };
    return this.optimizer.weights(this.ops, this.state, this.plan.evaluationWeights, key);
  }

  async snapshot(): Promise<Checkpoint> {
    const { ops, plan } = this;
    const plugins: [string, Checkpoint['plugins'][string]][] = [];
    for (const plugin of plan.plugins) {
      if (plugin.state === undefined) continue;
      const stored = await guarded(plugin, 'state', async () => {
        const { data, tensors } = checkedState(await plugin.state!());
        return { ...(data === undefined ? {} : { data }), tensors: await readTensors(ops, tensors ?? {}) };
      });
      plugins.push([plugin.name, stored]);
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

  /** Yields to timers and signals, which a synchronous backend would block; rare enough to have no cost. */
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

/** Refuses what a checkpoint cannot hold where it is made, not when a file is written. */
function checkedState(state: PluginState): PluginState {
  if (typeof state !== 'object' || state === null) {
    throw new LmdError('INVALID_ARGUMENT', `it returned ${describeValue(state)}.`, {
      subject: 'state',
      value: state,
      remedy: 'Return { data }, { tensors } or both.',
    });
  }
  if (state.data !== undefined) assertJson(state.data, 'data');
  return state;
}
