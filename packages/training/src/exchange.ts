import {
  type ContractMarker,
  checkContractVersion,
  describeValue,
  LmdError,
  type OptimizerState,
  ofMaker,
  type Pass,
  type Tensor,
} from '@lmd/core';
import type { Json } from './json.js';
import { thisTraining } from './made-by.js';
import type { TrainingRun } from './plugin.js';

/** Version of this contract. It changes only if a correct exchange would become incorrect. */
export const exchangeSpecVersion = 'lmd-exchange-v1';

/** A step of one worker before its update. The tensors are valid until the exchange has returned, and not its own. */
export interface LocalStep {
  /** Number of updates before this one. */
  readonly step: number;
  readonly state: OptimizerState;
  /** Number of labels of this worker's share of the batch that are not negative; of examples with a custom loss. */
  readonly counted: number;
  /** A scalar for each posterior sample: Σ loss / `total`, over the rows of this worker's share. */
  readonly losses: readonly Tensor[];
  /** Gradients of these losses, one pass for each posterior sample. */
  readonly passes: readonly Pass[];
}

/** The same step after it. */
export interface ExchangedStep {
  /** Mean loss over the examples of all workers, in nats. */
  readonly loss: number;
  /** The state after the update. New tensors, of no scope, which the run takes over. */
  readonly state: OptimizerState;
}

/** A step of one worker whose backward passes still run. */
export interface SendingStep {
  /**
   * A gradient that nothing more is added to: of one of `passes` of the `LocalStep`. Called once for each of them, in
   * an order that the model and the options determine. The tensor is valid until `update` returns or `abandon` is
   * called.
   * It may not be finite, so the others must not be able to finish the step before `update` is called.
   */
  gradient(pass: number, weight: string, gradient: Tensor): void;
  /** The step has failed, and `update` is not called or has thrown: ends what waits for the others. */
  abandon(): void;
}

/**
 * How the workers of one distributed run agree on each update. Every worker calls `train` with the same options and an
 * exchange of its own; the workers' shares of a batch are consecutive, in the order of their ranks. A plain object.
 */
export interface StepExchange extends ContractMarker<typeof exchangeSpecVersion> {
  readonly name: string;
  /** Number of this worker, from 0. */
  readonly rank: number;
  /** Number of workers. `batchSize` must be a multiple of it. */
  readonly workers: number;
  /**
   * What a checkpoint must match to resume a run with this exchange. Absent if a run has the same bits as one process
   * with `microBatchSize` = `batchSize` / `workers`, so that either resumes a checkpoint of the other.
   */
  readonly identity?: Json;
  /**
   * The divisor of the losses of a step: the number of labels, not negative ones, of all workers; or that of this
   * worker alone, if `update` weights the workers itself.
   */
  total(step: number, counted: number): Promise<number>;
  /**
   * Begins to send a step while its gradients are computed, before `update` ends it. Optional. Called after `total`,
   * once for each step.
   */
  begin?(step: number, run: TrainingRun): SendingStep;
  /**
   * Exchanges a step with the other workers and updates the state, which stays the run's. Called only with finite
   * losses and gradients, once for each step and in order.
   *
   * @throws LmdError `WORKER_MISSING` if others have not answered in time; `WORKERS_DIVERGED` if their weights differ;
   *   `INTERRUPTED` if a signal ends the wait, with which a run whose own signal is aborted ends as interrupted
   */
  update(local: LocalStep, run: TrainingRun): Promise<ExchangedStep>;
}

/**
 * Checks an exchange, and that the options of the run suit it.
 *
 * @throws LmdError `INVALID_ARGUMENT`, `UNSUPPORTED`
 */
export function checkExchange(
  exchange: StepExchange,
  run: { readonly batchSize: number; readonly keepPartialBatch: boolean; readonly updateInPlace: boolean },
): void {
  const remedy = 'Use averageGradients({ … }) or voteSigns({ … }) of @lmd/distributed.';
  const refuse = (subject: string, value: unknown, problem: string, advice = remedy) =>
    new LmdError('INVALID_ARGUMENT', problem, { subject, value, remedy: advice });
  const owner = `The exchange ${describeValue(exchange.name)}${ofMaker(exchange)}`;
  checkContractVersion(exchange, { owner, specVersion: exchangeSpecVersion, definedBy: thisTraining, remedy });
  for (const member of ['total', 'update'] as const) {
    if (typeof exchange[member] === 'function') continue;
    throw refuse(member, exchange[member], `${owner} has ${member} = ${describeValue(exchange[member])}.`);
  }
  const { rank, workers } = exchange;
  if (!(Number.isSafeInteger(workers) && workers >= 1 && Number.isSafeInteger(rank) && rank >= 0 && rank < workers)) {
    const problem = `${owner} has rank ${describeValue(rank)} of ${describeValue(workers)} workers.`;
    throw refuse('rank', rank, problem, 'Ranks are whole numbers from 0 to the number of workers − 1.');
  }
  if (run.batchSize % workers !== 0) {
    const problem = `batchSize is ${run.batchSize}, but there are ${workers} workers.`;
    throw refuse('batchSize', run.batchSize, problem, 'Use a multiple of the number of workers.');
  }
  for (const option of ['keepPartialBatch', 'updateInPlace'] as const) {
    if (!run[option]) continue;
    throw refuse(option, true, `${option} is true, but the run has an exchange.`, `Leave out ${option} or exchange.`);
  }
}
