import type { LmdError } from '@lmd/core';
import type { EvaluationResult } from './evaluate.js';
import type { Json } from './json.js';

/** Why a run ended: all steps done, the `signal` aborted it, or a plugin stopped it. */
export type TrainStatus = 'finished' | 'interrupted' | 'stopped';

export interface StartEvent {
  readonly type: 'start';
  readonly model: string;
  readonly optimizer: string;
  readonly backend: string;
  readonly device: string;
  readonly dataset: string;
  readonly totalSteps: number;
  /** Number of parameters of the model. */
  readonly parameters: number;
  /** Size of the optimizer state in bytes, including the weights that it owns. */
  readonly stateBytes: number;
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  /** Number of steps before the run was resumed, otherwise 0. */
  readonly startStep: number;
  /** Path of the checkpoint, if the run was resumed from a file. */
  readonly resumedFrom?: string;
}

export interface StepEvent {
  readonly type: 'step';
  /** Number of updates, including this one: the first is 1. */
  readonly step: number;
  readonly epoch: number;
  /** Batch within the epoch, from 0. */
  readonly position: number;
  /** Mean loss of the batch before the update, averaged over the optimizer's posterior samples, in nats. */
  readonly loss: number;
  /** Examples in the batch. */
  readonly samples: number;
  /** Since the start of the run, including earlier parts of a resumed run. */
  readonly seconds: number;
}

export interface EvaluationEvent extends EvaluationResult {
  readonly type: 'evaluation';
  readonly step: number;
  readonly split: 'validation' | 'test';
  readonly seconds: number;
}

export interface SettleEvent {
  readonly type: 'settle';
  readonly step: number;
  /** Set when no further step follows. `failed`: the state is the last good one, and an error is about to be thrown. */
  readonly ending?: TrainStatus | 'failed';
}

/** Announced by a plugin that has written a checkpoint. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly step: number;
  /** Location: the path of a file, or another identifier. */
  readonly path: string;
  readonly reason: 'interval' | 'best' | TrainStatus | 'failed';
}

/** A measurement of a plugin, which other plugins may write or display. */
export interface ReportEvent {
  readonly type: 'report';
  readonly step: number;
  readonly plugin: string;
  readonly data: Json;
}

/** A warning that does not stop the run, such as a corrupt checkpoint skipped on resume. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly step: number;
  readonly message: string;
}

export interface EndEvent {
  readonly type: 'end';
  readonly step: number;
  readonly status: TrainStatus;
  /** The reason of the plugin that stopped the run. */
  readonly stopReason?: string;
  readonly loss?: number;
  readonly validation?: EvaluationResult;
  readonly test?: EvaluationResult;
  readonly seconds: number;
  /** Per second of training steps, without evaluation. */
  readonly samplesPerSecond: number;
  /** Peak bytes of live tensors on the backend. */
  readonly peakMemoryBytes: number;
}

export interface FailureEvent {
  readonly type: 'failure';
  /** Number of updates before the failure. */
  readonly step: number;
  readonly error: LmdError | Error;
}

export type TrainingEvent =
  | StartEvent
  | StepEvent
  | EvaluationEvent
  | SettleEvent
  | CheckpointEvent
  | ReportEvent
  | WarningEvent
  | EndEvent
  | FailureEvent;
