import { type NamedTensors, type SignUpdate, type Tensor, weightOf } from '@lmd/core';
import type { LocalStep, TrainingRun } from '@lmd/training';
import { ArrayReader, joinArrays } from './channel.js';
import { readAll } from './host-gradients.js';
import { majority, packNonZeros, packSigns, wordsOf } from './signs.js';
import type { GatheredRound } from './transport.js';

/** What a worker has to say about a step. */
export interface LocalBallot {
  readonly counted: number;
  readonly losses: readonly Float32Array[];
  /** Passes with the gradients of the weights that do not vote, and their values. */
  readonly averaged: LocalStep['passes'];
  readonly gradients: readonly Float32Array[];
  /** Names, shapes and values of the directions. */
  readonly directions: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly signs: Float32Array;
}

/** Reads what a worker contributes from its backend. */
export async function readBallot({ counted, losses, passes, state }: LocalStep, run: TrainingRun, signs: SignUpdate) {
  const { ops } = run;
  const directions = ops.scope(() => {
    const made = signs.directions(ops, state, passes);
    for (const tensor of Object.values(made)) ops.keep(tensor);
    return made;
  });
  try {
    const voting = new Set(Object.keys(directions).map(weightOf));
    const averaged = passes.map(({ key, gradients }) => ({
      key,
      gradients: Object.fromEntries(Object.entries(gradients).filter(([weight]) => !voting.has(weight))),
    }));
    const ballot: LocalBallot = {
      counted,
      losses: await readAll(ops, losses),
      averaged,
      gradients: await readAll(
        ops,
        averaged.flatMap(({ gradients }) => Object.values(gradients)),
      ),
      directions: Object.entries(directions).map(([name, { shape }]) => ({ name, shape })),
      signs: concatenated(await readAll(ops, Object.values(directions))),
    };
    return ballot;
  } finally {
    ops.dispose(directions);
  }
}

export type Zeros = 'alternate' | 'abstain';

/** The message of a ballot: label count, losses, gradients, signs. */
export function encode(
  { counted, losses, gradients, signs }: LocalBallot,
  { step, rank, zeros }: { readonly step: number; readonly rank: number; readonly zeros: Zeros },
): Uint8Array {
  return joinArrays([
    Uint32Array.of(counted),
    ...losses,
    ...gradients,
    packSigns(signs, { step, rank }),
    ...(zeros === 'abstain' ? [packNonZeros(signs)] : []),
  ]);
}

/** The step that follows from the contributions of a round: a function of these alone, the same on every worker. */
export function decide(
  own: LocalBallot,
  payloads: GatheredRound['payloads'],
  zeros: Zeros,
): { readonly loss: number; readonly means: Float32Array[]; readonly directions: Float32Array } {
  const { losses, signs } = own;
  const sums = own.gradients.map(({ length }) => new Float64Array(length));
  const words = wordsOf(signs.length);
  let [total, lossSum] = [0, 0];
  const ballots = [...payloads.values()].map((payload) => {
    const reader = new ArrayReader(payload);
    const counted = reader.words(1)[0]!;
    total += counted;
    for (const loss of reader.floats(losses.length)) lossSum += (counted * loss) / losses.length;
    for (const sum of sums) {
      const gradient = reader.floats(sum.length);
      for (let index = 0; index < sum.length; index++) sum[index]! += counted * gradient[index]!;
    }
    const up = reader.words(words);
    return zeros === 'abstain' ? { up, cast: reader.words(words) } : { up };
  });
  const divisor = Math.max(1, total);
  return {
    loss: lossSum / divisor,
    means: sums.map((sum) => Float32Array.from(sum, (value) => value / divisor)),
    directions: majority(ballots, signs.length),
  };
}

/** The directions of all, as tensors with the names and shapes of the worker's own. */
export function tensorsOf({ directions }: LocalBallot, values: Float32Array, { ops }: TrainingRun): NamedTensors {
  const tensors: Record<string, Tensor> = {};
  let at = 0;
  for (const { name, shape } of directions) {
    const size = shape.reduce((product, extent) => product * extent, 1);
    tensors[name] = ops.fromData(values.subarray(at, at + size), shape);
    at += size;
  }
  return tensors;
}

function concatenated(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
