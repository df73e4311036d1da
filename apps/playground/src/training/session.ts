import {
  type Backend,
  createOperations,
  type EagerOperations,
  isLmdError,
  type Model,
  type Optimizer,
  type Precision,
} from '@lmd/core';
import { fullPrecision, precisionPreset } from '@lmd/models';
import {
  type Checkpoint,
  type Json,
  type Plugin,
  readTensors,
  type TrainingRun,
  train,
  writeTensors,
} from '@lmd/training';
import type { RunSettings, Settings } from '../settings/settings.js';
import { type OptimizerEntry, optimizerEntry, optimizerOf } from './optimizer.js';
import type { Task } from './task.js';
import { Turns } from './turns.js';

/** Names of the runs: of their folders in a saved file, and on the page. */
export const runNames = ['A', 'B'] as const;

/** Steps between two validations, and between two snapshots to resume from. */
export const interval = 20;

/** What the session tells of a run. */
export interface SessionListener {
  step(run: number, step: number, loss: number): void;
  /** Both runs have made as many steps as the settings say, and are paused. */
  limit(): void;
  evaluation(run: number, step: number, result: { readonly loss: number; readonly accuracy: number }): void;
}

/** How the runs ended. `lost`: the backend failed, and the snapshots are the last states. */
export interface SessionEnd {
  readonly lost: Error | undefined;
}

/** A run that the page shows. */
export interface ShownRun {
  readonly settings: RunSettings;
  readonly entry: OptimizerEntry;
  readonly optimizer: Optimizer;
  readonly ops: EagerOperations;
  /** Undefined before it has started, and after it has failed. */
  training: TrainingRun | undefined;
  /** The newest snapshot. */
  snapshot: Checkpoint | undefined;
  /** Why the run alone ended, such as a loss that is not finite. */
  failure: Error | undefined;
}

/** Trains two networks on the same batches, one step each in turn. It starts paused. */
export class Session {
  readonly turns = new Turns(2);
  readonly runs: readonly ShownRun[];
  /** When each run can take its first step, or has failed. */
  readonly started: Promise<unknown>;
  readonly ended: Promise<SessionEnd>;
  readonly #stop = new AbortController();
  #lost: Error | undefined;
  #reached = 0;

  /** @param resume snapshots of the runs, by `adapted` for these settings. */
  constructor(
    readonly backend: Backend,
    readonly task: Task,
    readonly settings: Settings,
    resume: readonly (Checkpoint | undefined)[],
    readonly listener: SessionListener,
  ) {
    this.turns.pause();
    this.runs = settings.runs.map((one, n) => {
      const entry = optimizerEntry(one, task, runNames[n]!);
      return {
        settings: one,
        entry,
        optimizer: optimizerOf(entry, task.model),
        ops: createOperations(backend),
        training: undefined,
        snapshot: resume[n],
        failure: undefined,
      };
    });
    const ends: Promise<void>[] = [];
    const starts = this.runs.map((run, n) => new Promise<void>((started) => ends.push(this.#train(run, n, started))));
    this.started = Promise.all(starts);
    this.ended = Promise.all(ends).then(() => ({ lost: this.#lost }));
  }

  /** The last step of either run. */
  get step(): number {
    return Math.max(this.#reached, ...this.runs.map(({ snapshot }) => snapshot?.step ?? 0));
  }

  /** Ends both runs after the current step. Their snapshots are then those of their last states. */
  async stop(): Promise<readonly (Checkpoint | undefined)[]> {
    this.#stop.abort();
    this.turns.end();
    await this.ended;
    return this.runs.map(({ snapshot }) => snapshot);
  }

  /** Snapshots of now, between two steps. Of a run that failed, its last one. */
  snapshots(): Promise<readonly (Checkpoint | undefined)[]> {
    return this.turns.between(async () => {
      const snapshots: (Checkpoint | undefined)[] = [];
      for (const run of this.runs) snapshots.push((await run.training?.snapshot()) ?? run.snapshot);
      return snapshots;
    });
  }

  /** Whether every run that still trains has made so many steps. */
  #areAt(step: number): boolean {
    return this.runs.every(({ training }) => training === undefined || training.step >= step);
  }

  async #train(run: ShownRun, n: number, started: () => void): Promise<void> {
    const { task, settings, turns } = this;
    const signal = this.#stop.signal;
    try {
      const result = await train({
        ops: run.ops,
        model: inFormat(task.model, precisionPreset(run.settings.format)),
        optimizer: run.optimizer,
        // The format may change while it trains, so it is the model's, and no part of the run's identity.
        precision: fullPrecision,
        data: { train: task.train, validation: task.validation },
        seed: settings.seed,
        steps: 1e9,
        batchSize: Math.min(settings.batch, task.train.size),
        evaluateEvery: interval,
        evaluationBatchSize: Math.min(64, task.validation.size),
        signal,
        ...(run.snapshot === undefined ? {} : { resume: { checkpoint: run.snapshot } }),
        plugins: [this.#shown(run, n, started), settingsPlugin(run.settings)],
      });
      result.dispose();
    } catch (error) {
      if (isLmdError(error, 'BACKEND_FAILURE')) {
        this.#lost ??= error;
        this.#stop.abort();
        turns.end();
      } else run.failure = error as Error;
    } finally {
      run.training = undefined;
      started();
      turns.leave(n);
    }
  }

  #shown(shown: ShownRun, n: number, started: () => void): Plugin {
    const { turns, listener } = this;
    const signal = this.#stop.signal;
    return {
      name: 'shown',
      start: async (_, run) => {
        shown.training = run;
        started();
        await turns.take(n);
      },
      step: ({ step, loss }) => {
        this.#reached = Math.max(this.#reached, step);
        listener.step(n, step, loss);
      },
      evaluate: ({ step, loss, accuracy }) => listener.evaluation(n, step, { loss, accuracy }),
      settle: async ({ step, ending }, run) => {
        if (ending !== undefined) {
          shown.snapshot = await run.snapshot();
          return;
        }
        if (step % interval === 0) shown.snapshot = await run.snapshot();
        if (step === this.settings.steps && this.#areAt(step)) {
          turns.pause();
          listener.limit();
        }
        await turns.pass(n);
        if (!signal.aborted) return;
        shown.snapshot = await run.snapshot();
        // Ends the run without another step.
        await run.announce({ type: 'checkpoint', step, path: 'memory', reason: 'interrupted' });
      },
    };
  }
}

/** Keeps the settings of a run in its snapshots. */
function settingsPlugin(settings: RunSettings): Plugin {
  return {
    name: 'settings',
    state: () => ({ data: settings as unknown as Json }),
    restore() {},
  };
}

/** The model with the products of its forward pass in another format. */
function inFormat(model: Task['model'], precision: Precision): Model {
  return {
    ...model,
    forward: (ops, weights, inputs, context) => model.forward(ops, weights, inputs, { ...context, precision }),
  };
}

/**
 * A snapshot for other settings: as it is where the state is of the same kind, otherwise the new optimizer begins at
 * the mean of the old one's weights.
 */
export async function adapted(
  backend: Backend,
  task: Task,
  snapshot: Checkpoint | undefined,
  to: RunSettings,
): Promise<Checkpoint | undefined> {
  if (snapshot === undefined) return undefined;
  const from = snapshot.plugins.settings!.data as unknown as RunSettings;
  const plugins = { ...snapshot.plugins, settings: { data: to as unknown as Json } };
  if (from.optimizer === to.optimizer) return { ...snapshot, plugins };
  const ops = createOperations(backend);
  const [old, next] = [from, to].map((one) => optimizerOf(optimizerEntry(one, task, ''), task.model)) as [
    Optimizer,
    Optimizer,
  ];
  const tensors = writeTensors(ops, snapshot.tensors);
  const weights = old.weights(ops, { step: snapshot.optimizerStep, tensors }, 'mean');
  const state = await next.init(ops, weights);
  const read = await readTensors(ops, state.tensors);
  for (const one of [tensors, weights, state.tensors]) ops.dispose(one);
  return {
    ...snapshot,
    plugins,
    tensors: read,
    optimizerStep: state.step,
    identity: { ...snapshot.identity, optimizer: next.name },
  };
}
