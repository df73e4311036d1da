import { type NamedTensors, type SignUpdate, sizeOf, type Tensor, weightOf } from '@lmd/core';
import type { LocalStep, TrainingRun } from '@lmd/training';
import { ArrayReader, joinArrays } from './channel.js';
import { countVotes, type VoteCount } from './count-votes.js';
import { readAll } from './host-gradients.js';
import type { Scratch } from './scratch.js';
import { packNonZeros, packSigns, unpackDirections, wordsOf, type ZeroRule } from './signs.js';
import type { GatheredRound } from './transport.js';

export type Zeros = 'alternate' | 'abstain';

/** What a worker has to say about a step. */
export interface LocalBallot {
  readonly counted: number;
  readonly losses: readonly Float32Array[];
  /** Passes with the gradients of the weights that do not vote, and their values. */
  readonly averaged: LocalStep['passes'];
  readonly gradients: readonly Float32Array[];
  /** Names and shapes of the directions. The votes of each begin at a word of their own. */
  readonly directions: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Packed signs of all directions, and with `abstain` which coordinates have one. */
  readonly up: Uint32Array;
  readonly cast: Uint32Array | undefined;
}

/** How a worker votes. */
interface VotingRule extends ZeroRule {
  readonly zeros: Zeros;
  /** For the values of one direction, which every step uses again. */
  readonly scratch: Scratch;
}

/** Reads what a worker contributes from its backend. */
export async function readBallot(
  { counted, losses, passes, state }: LocalStep,
  run: TrainingRun,
  signs: SignUpdate,
  { zeros, scratch, ...rule }: VotingRule,
): Promise<LocalBallot> {
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
    const shapes = Object.entries(directions).map(([name, { shape }]) => ({ name, shape }));
    const up = new Uint32Array(wordsOfAll(shapes));
    const cast = zeros === 'abstain' ? new Uint32Array(up.length) : undefined;
    let word = 0;
    for (const tensor of Object.values(directions)) {
      const values = scratch.of(sizeOf(tensor.shape));
      await ops.readInto(tensor, values);
      const end = word + wordsOf(values.length);
      packSigns(values, rule, up.subarray(word, end));
      if (cast !== undefined) packNonZeros(values, cast.subarray(word, end));
      word = end;
    }
    const others = averaged.flatMap(({ gradients }) => Object.values(gradients));
    const [lossValues, gradients] = [await readAll(ops, losses), await readAll(ops, others)];
    return { counted, losses: lossValues, averaged, gradients, directions: shapes, up, cast };
  } finally {
    ops.dispose(directions);
  }
}

const wordsOfAll = (directions: LocalBallot['directions']): number =>
  directions.reduce((sum, { shape }) => sum + wordsOf(sizeOf(shape)), 0);

/** The message of a ballot: label count, losses, gradients, signs. */
export function encode({ counted, losses, gradients, up, cast }: LocalBallot): Uint8Array {
  return joinArrays([Uint32Array.of(counted), ...losses, ...gradients, up, ...(cast === undefined ? [] : [cast])]);
}

/** The step that follows from the contributions of a round: a function of these alone, the same on every worker. */
export function decide(
  own: LocalBallot,
  payloads: GatheredRound['payloads'],
): { readonly loss: number; readonly means: Float32Array[]; readonly votes: VoteCount } {
  const { losses, up, cast } = own;
  const words = up.length;
  const sums = own.gradients.map(({ length }) => new Float64Array(length));
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
    const votes = reader.words(words);
    return cast === undefined ? { up: votes } : { up: votes, cast: reader.words(words) };
  });
  const divisor = Math.max(1, total);
  return {
    loss: lossSum / divisor,
    means: sums.map((sum) => Float32Array.from(sum, (value) => value / divisor)),
    votes: countVotes(ballots, 32 * words),
  };
}

/** The directions of all, as tensors with the names and shapes of the worker's own. */
export function tensorsOf(
  { directions }: LocalBallot,
  votes: VoteCount,
  scratch: Scratch,
  { ops }: TrainingRun,
): NamedTensors {
  const tensors: Record<string, Tensor> = {};
  let word = 0;
  for (const { name, shape } of directions) {
    const size = sizeOf(shape);
    tensors[name] = ops.fromData(unpackDirections(votes, word, scratch.of(size)), shape);
    word += wordsOf(size);
  }
  return tensors;
}
