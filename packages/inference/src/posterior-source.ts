import type { DrawKey, EagerOperations, NamedTensors } from '@lmd/core';
import type { PretrainedModel } from '@lmd/models';
import type { LoadedCheckpoint } from '@lmd/training';
import type { ModelDescription } from './description.js';

/** A checkpoint that is read, or the bytes of its file. */
export type StoredCheckpoint = LoadedCheckpoint | { readonly bytes: Uint8Array; readonly path: string };

/** A posterior over the weights of a model: the state of its optimizer, from a checkpoint. */
export interface Posterior {
  /**
   * One draw, owned by the caller: the bits of the optimizer's own. Frozen weights, which the posterior does not have,
   * are missing.
   *
   * @param draw index from 0. The first is the first that no update has used, as in `lmd evaluate --weights sample`.
   */
  draw(ops: EagerOperations, seed: DrawKey['seed'], draw: number): NamedTensors;
  dispose(): void;
}

/** What a posterior is opened for. */
export interface PosteriorOf {
  /** Of the model, for errors. */
  readonly path: string;
  readonly description: ModelDescription;
  readonly model: PretrainedModel;
  readonly checkpoint: StoredCheckpoint | undefined;
}

/** Opens posteriors: `posteriorSampling` of `@lmd/inference/posterior`. */
export type OpenPosterior = (ops: EagerOperations, of: PosteriorOf) => Promise<Posterior>;
