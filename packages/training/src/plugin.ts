import type {
  ContractMarker,
  EagerOperations,
  Model,
  NamedTensors,
  Optimizer,
  OptimizerState,
  Pass,
  Precision,
} from '@lmd/core';
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
  /** Validation data, evaluated every `evaluateEvery` steps and after the last step. */
  readonly validation?: Dataset;
  /** Test data, evaluated once at the end of the run. */
  readonly test?: Dataset;
}

/** The interface of a run for its plugins. */
export interface TrainingRun {
  readonly ops: EagerOperations;
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly precision: Precision;
  readonly data: TrainingData;
  readonly seed: number;
  /** Number of updates so far. */
  readonly step: number;
  readonly totalSteps: number;
  /** Valid until the next update; owned by the run. */
  readonly state: OptimizerState;
  /**
   * The weights to evaluate or export, owned by the caller: those of the last plugin that provides weights, otherwise
   * the optimizer's.
   */
  evaluationWeights(): NamedTensors;
  /**
   * Everything that a resumed run needs, read to the host. Consistent only in the `settle` hook, when the states of all
   * plugins are final.
   */
  snapshot(): Promise<Checkpoint>;
  /** Sends an event of this plugin to all plugins. */
  announce(event: CheckpointEvent | ReportEvent | WarningEvent): Promise<void>;
  /** Stops the run after this step. */
  stop(reason: string): void;
}

/** State of a plugin in a checkpoint. */
export interface PluginState {
  readonly data?: Json;
  readonly tensors?: NamedTensors;
}

type Hook<Event> = (event: Event, run: TrainingRun) => void | Promise<void>;

/** Version of this contract. It changes only if a correct plugin would become incorrect. */
export const pluginSpecVersion = 'lmd-plugin-v1';

/**
 * An extension of the training loop. Every hook is optional. Hooks run in the order of the plugins, and each is
 * awaited. If one throws, the run ends with `PLUGIN_FAILURE`, which names the plugin and the hook. A plugin may be used
 * for several runs, one at a time: `start` begins a run, and a stateful plugin resets its state there.
 *
 * In a step: `passes`; after a finite update, `step`; then the evaluation and `evaluate`, if due; then `settle`, when
 * the state of every plugin is final and can be saved.
 */
export interface Plugin extends ContractMarker<typeof pluginSpecVersion> {
  /** Unique among the plugins of a run; the checkpoint stores its state under it. */
  readonly name: string;
  /** Called before `restore`. Resets the state of an earlier run. */
  readonly start?: Hook<StartEvent>;
  /**
   * Receives the keys and gradients of the posterior samples of a step before the update. Synchronous, within the scope
   * of the step: tensors created here are freed with the step unless passed to `ops.keep`. The step may still fail or
   * be non-finite, so results are valid only once `step` follows.
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
   * Replaces the weights that are evaluated and exported. Returns new handles, owned by the caller, or undefined if it
   * has no weights yet.
   */
  weights?(run: TrainingRun): NamedTensors | undefined;
  /**
   * The state to store in the checkpoint. Tensors remain owned by the plugin. A stateful plugin has both this and
   * `restore`.
   */
  state?(): PluginState;
  /** Called after `start` of a resumed run. The plugin takes ownership of the tensors. */
  restore?(state: PluginState, run: TrainingRun): void | Promise<void>;
  /** Always called last, even after a failure: closes files, frees tensors. */
  close?(run: TrainingRun): void | Promise<void>;
}
