import type { EagerOperations, Model, NamedTensors, Optimizer, OptimizerState, Pass, Precision } from '@lmd/core';
import type { Checkpoint } from './checkpoints/checkpoint.js';
import type { Dataset } from './data/dataset.js';
import type {
  CheckpointEvent,
  EndEvent,
  EvaluationEvent,
  FailureEvent,
  ReportEvent,
  SettleEvent,
  StartEvent,
  StepEvent,
  WarningEvent,
} from './events.js';
import type { Json } from './json.js';

export interface TrainingData {
  readonly train: Dataset;
  /** Evaluated every `evaluateEvery` steps and after the last. */
  readonly validation?: Dataset;
  /** Evaluated once, when the run is over. */
  readonly test?: Dataset;
}

/** A run as its plugins see it. */
export interface TrainingRun {
  readonly ops: EagerOperations;
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly precision: Precision;
  readonly data: TrainingData;
  readonly seed: number;
  /** Updates made so far. */
  readonly step: number;
  readonly totalSteps: number;
  /** Alive until the next update, and the run's to free. */
  readonly state: OptimizerState;
  /**
   * The weights to evaluate or export, which the caller frees: those of the last plugin that gives some, else the
   * optimizer's.
   */
  evaluationWeights(): NamedTensors;
  /**
   * Everything that a resumed run needs, read to the host. Whole only in the `settle` hook, where all plugins are at
   * rest.
   */
  snapshot(): Promise<Checkpoint>;
  /** Passes an event of the plugin's own to all plugins. */
  announce(event: CheckpointEvent | ReportEvent | WarningEvent): Promise<void>;
  /** Ends the run after this step. */
  stop(reason: string): void;
}

/** What a plugin remembers between the parts of an interrupted run. */
export interface PluginState {
  readonly data?: Json;
  readonly tensors?: NamedTensors;
}

type Hook<Event> = (event: Event, run: TrainingRun) => void | Promise<void>;

/**
 * Something done around the step. Every hook is optional; hooks run in the order of the plugins, each awaited, and one
 * that throws ends the run with `PLUGIN_FAILURE`, which names the plugin and the hook. One plugin may go from run to
 * run, one run at a time: `start` begins a run, and a plugin with memory forgets there what an earlier run left.
 *
 * In a step: `passes`; when the update is made and finite, `step`; then, when one is due, the evaluation and
 * `evaluate`; then `settle`, when the state of every plugin is final and can be saved.
 */
export interface Plugin {
  /** Unique among the plugins of a run; the checkpoint stores its state under it. */
  readonly name: string;
  /** Before `restore`. What is remembered of an earlier run is reset here. */
  readonly start?: Hook<StartEvent>;
  /**
   * Sees the draws' keys and gradients of a step before the update is made of them; synchronous, and inside the step's
   * scope: what it makes is freed with the step but for what it gives to `ops.keep`. The step may yet fail or not be
   * finite, so what it learns counts only once `step` follows.
   */
  passes?(passes: readonly Pass[], run: TrainingRun): void;
  readonly step?: Hook<StepEvent>;
  readonly evaluate?: Hook<EvaluationEvent>;
  readonly settle?: Hook<SettleEvent>;
  readonly checkpoint?: Hook<CheckpointEvent>;
  readonly report?: Hook<ReportEvent>;
  readonly warning?: Hook<WarningEvent>;
  readonly end?: Hook<EndEvent>;
  readonly failure?: Hook<FailureEvent>;
  /**
   * Replaces the weights that are evaluated and exported. New handles, which the caller frees; undefined for none yet.
   */
  weights?(run: TrainingRun): NamedTensors | undefined;
  /**
   * What the checkpoint is to remember. Tensors stay the plugin's. A plugin with memory has both this and `restore`.
   */
  state?(): PluginState;
  /** Called after `start` of a resumed run. Tensors become the plugin's. */
  restore?(state: PluginState, run: TrainingRun): void | Promise<void>;
  /** Called last, however the run ended: closes files, frees tensors. */
  close?(run: TrainingRun): void | Promise<void>;
}
