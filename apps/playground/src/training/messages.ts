import type { PixelData } from '@lmd/inference';
import type { GivenFiles } from '../data/given.js';
import type { DataKind, Settings } from '../settings/settings.js';
import type { WeightsQuery, WeightsView } from '../weights/weights-view.js';
import type { HeldOutPrediction, Prediction } from './predict.js';

/** What the page asks of the worker. `id` returns with the answer. */
export type Request = { readonly id: number } & (
  | { readonly type: 'start'; readonly settings: Settings; readonly files: GivenFiles }
  | { readonly type: 'pause' | 'resume' | 'save' | 'loseDevice' }
  | { readonly type: 'change'; readonly settings: Settings }
  | { readonly type: 'load'; readonly bytes: Uint8Array; readonly name: string }
  | { readonly type: 'weights'; readonly query: WeightsQuery }
  | { readonly type: 'classify'; readonly image: Blob | PixelData }
  | { readonly type: 'heldOut'; readonly index: number }
  | { readonly type: 'generate'; readonly prompt: string; readonly seed: number }
);

export interface Answers {
  start: undefined;
  pause: undefined;
  resume: undefined;
  change: undefined;
  loseDevice: undefined;
  save: Uint8Array;
  load: Settings;
  weights: WeightsView | undefined;
  classify: readonly Prediction[];
  heldOut: HeldOutPrediction;
  generate: readonly Prediction[];
}

/** The points of one run since the last report. */
export interface RunReport {
  readonly steps: readonly number[];
  readonly losses: readonly number[];
  readonly evaluations: readonly { readonly step: number; readonly loss: number; readonly accuracy: number }[];
  /** Bytes per second of the optimizer's update. */
  readonly bandwidth?: number;
  /** Why the run alone ended. */
  readonly failure?: string;
}

/** What the worker reports by itself. */
export type Report =
  | { readonly type: 'progress'; readonly runs: readonly RunReport[]; readonly stepsPerSecond?: number }
  /** A session has begun. Points after `step` no longer hold; of one that is new, neither do those before. */
  | {
      readonly type: 'session';
      readonly isNew: boolean;
      readonly data: DataKind;
      readonly step: number;
      readonly device: string;
      readonly kind: 'webgpu' | 'wasm';
      readonly title: string;
      readonly parameters: number;
    }
  | { readonly type: 'notice'; readonly text: string; readonly isProblem: boolean }
  | { readonly type: 'paused'; readonly isPaused: boolean };

export type Message =
  | Report
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown }
  | { readonly type: 'error'; readonly id: number; readonly message: string };
