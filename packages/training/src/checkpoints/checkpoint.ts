import {
  type DType,
  LmdError,
  type NamedTensors,
  type Operations,
  type OptimizerState,
  type Tensor,
  type TensorData,
} from '@lmd/core';
import type { EvaluationResult } from '../evaluate.js';
import { firstDifference, type Json } from '../json.js';
import { problemOf } from './check-checkpoint.js';

/** A tensor read to the host. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: TensorData;
}

export type NamedHostTensors = { readonly [name: string]: HostTensor };

/** The state of a run between two steps: everything that the rest of the run depends on. */
export interface Checkpoint {
  /** Number of updates. It determines the epoch, the position in it, and all random numbers. */
  readonly step: number;
  /** The optimizer's step count. */
  readonly optimizerStep: number;
  /** The optimizer's state, `<weight>/<vector>`. */
  readonly tensors: NamedHostTensors;
  readonly plugins: { readonly [name: string]: { readonly data?: Json; readonly tensors?: NamedHostTensors } };
  /**
   * What must be equal when the run is resumed: model, optimizer, data, seed, batch size, precision and the caller's
   * configuration.
   */
  readonly identity: { readonly [key: string]: Json };
  /** For the end of a run that is resumed after its last step. */
  readonly lastLoss?: number;
  readonly lastValidation?: EvaluationResult & { readonly step: number };
  /** Time spent so far. */
  readonly seconds: number;
  /**
   * Package version, backend and device on which it was written. On another backend a run does not resume
   * bit-identically.
   */
  readonly versions: { readonly training: string; readonly backend: string; readonly device: string };
}

/** A checkpoint and its location. */
export interface LoadedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly path?: string;
  /** Newer checkpoints that could not be used, with reasons. A run that resumes from this one warns about each. */
  readonly skipped?: readonly { readonly path: string; readonly reason: string }[];
}

/** Reads tensors to the host, exactly. */
export async function readTensors(ops: Operations, tensors: NamedTensors): Promise<NamedHostTensors> {
  const entries = await Promise.all(
    Object.entries(tensors).map(
      async ([name, tensor]): Promise<[string, HostTensor]> => [
        name,
        { shape: tensor.shape, dtype: tensor.dtype, data: await ops.read(tensor) },
      ],
    ),
  );
  return Object.fromEntries(entries);
}

/** Copies all tensors to the device, or none if it fails. They belong to no scope, and the caller disposes of them. */
export function writeTensors(ops: Operations, tensors: NamedHostTensors): NamedTensors {
  const written: [string, Tensor][] = [];
  try {
    for (const [name, { data, shape, dtype }] of Object.entries(tensors)) {
      written.push([name, ops.keep(ops.fromData(data, shape, dtype))]);
    }
  } catch (error) {
    ops.dispose(written.map(([, tensor]) => tensor));
    throw error;
  }
  return Object.fromEntries(written);
}

/**
 * Throws `CHECKPOINT_MISMATCH` if the checkpoint belongs to another run: with another optimizer, model or
 * configuration, or a tensor of another name or shape. Throws `CHECKPOINT_CORRUPT` if it is not a checkpoint. The error
 * names the first difference and both values.
 *
 * @param fresh the initial state of the run, for its names and shapes.
 */
export function checkMatch(
  checkpoint: Checkpoint,
  identity: { readonly [key: string]: Json },
  fresh: OptimizerState,
): void {
  const problem = problemOf(checkpoint);
  if (problem !== undefined) {
    throw new LmdError('CHECKPOINT_CORRUPT', `The checkpoint cannot be used: ${problem}.`, {
      subject: 'resume',
      remedy: 'Pass the result of readCheckpoint, latestCheckpoint or a snapshot.',
    });
  }
  for (const key of ['optimizer', 'model']) refuseDifference(checkpoint.identity[key], identity[key], key);
  const names = new Set([...Object.keys(fresh.tensors), ...Object.keys(checkpoint.tensors)]);
  for (const name of names) {
    const saved = describeTensor(checkpoint.tensors[name]);
    const expected = describeTensor(fresh.tensors[name]);
    if (saved !== expected) throw mismatch(name, saved, expected);
  }
  refuseDifference(checkpoint.identity, identity, '');
}

function describeTensor(tensor: { readonly dtype: DType; readonly shape: readonly number[] } | undefined): string {
  return tensor === undefined ? 'absent' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
}

function refuseDifference(saved: Json | undefined, expected: Json | undefined, place: string): void {
  const difference = firstDifference(saved, expected, place);
  if (difference === undefined) return;
  const show = (value: Json | undefined) => (value === undefined ? 'absent' : JSON.stringify(value));
  throw mismatch(difference.place, show(difference.a), show(difference.b));
}

function mismatch(subject: string, saved: string, expected: string): LmdError {
  return new LmdError('CHECKPOINT_MISMATCH', `${subject} is ${saved} in the checkpoint and ${expected} in this run.`, {
    subject,
    value: saved,
    remedy: 'Resume with the original configuration, or start a new run.',
  });
}
