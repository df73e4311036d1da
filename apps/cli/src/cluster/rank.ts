import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LmdError } from '@lmd/core';
import { averageGradients, averageWeights, type Transport, voteSigns } from '@lmd/distributed';
import {
  type Checkpoint,
  decodeCheckpoint,
  type LoadedCheckpoint,
  type Plugin,
  type StepExchange,
} from '@lmd/training';
import type { DistributedConfiguration } from '../configuration/distributed-schema.js';
import type { Configuration } from '../configuration/schema.js';
import { threadedTransport } from './threaded-transport.js';

/** The part of one worker in a training, as plain data. */
export interface RankRequest {
  /** Name of the training, the same when it is resumed. */
  readonly run: string;
  /** Counts how often it was started: messages of an earlier start are not those of a later one. */
  readonly generation: number;
  readonly rank: number;
  /** Step from which all workers start. */
  readonly start: number;
  /** The start in which the checkpoints of that step were written. */
  readonly from: number;
  /** Address of the server; undefined: the transport of this process. */
  readonly server?: string;
}

/** What a worker's training needs. */
export interface OpenRank {
  readonly exchange: StepExchange;
  /** Puts checkpoints into the store, after they were written to the worker's folder. */
  readonly plugin: Plugin;
  /** The checkpoint from which this worker resumes. */
  resume(): Promise<LoadedCheckpoint | undefined>;
  close(): Promise<void>;
}

/** Transports of workers that are threads, by the name of the training. */
const provided = new Map<string, Transport>();

/** Makes a transport that of a training in this thread, until the returned function is called. */
export function provideTransport(run: string, transport: Transport): () => void {
  provided.set(run, transport);
  return () => void provided.delete(run);
}

/** Number of newest rounds of each channel that are kept. */
export function retainedRounds({ distributed, checkpoints }: Configuration): number {
  const steps = distributed?.retainedRounds ?? 2 * checkpoints.every + 2;
  return distributed?.exchange === 'weights' ? Math.ceil(steps / distributed.localSteps) + 1 : steps;
}

/** Number of newest checkpoints of each worker in the store: the newest that all have is among them. */
const kept = 3;

/** Connects a worker to the others. */
export async function openRank(
  configuration: Configuration,
  request: RankRequest,
  signal: AbortSignal,
): Promise<OpenRank> {
  const { run, generation, rank, start, from, server } = request;
  const distributed = configuration.distributed!;
  const own = provided.get(run);
  const transport = own ?? (await threadedTransport(server!, { retainedRounds: retainedRounds(configuration) }));
  const checkpoints = storedCheckpoints(transport, run, distributed);
  return {
    exchange: exchangeOf(distributed, transport, request, signal),
    plugin: {
      name: 'sharedCheckpoints',
      async checkpoint({ step, path }) {
        if (distributed.exchange === 'averages' && rank > 0) return;
        await checkpoints.put(rank, { generation, step }, await readFile(path));
      },
    },
    async resume() {
      // One that replaces another repeats the steps from its newest checkpoint; all others are where all start.
      const own = (await checkpoints.list(rank)).filter((one) => one.generation === generation && one.step > start);
      const place = (rank > 0 ? own.at(-1) : undefined) ?? { generation: from, step: start };
      return place.step === 0 ? undefined : { checkpoint: await checkpoints.get(rank, place) };
    },
    close: async () => {
      if (own === undefined) await transport.close();
    },
  };
}

function exchangeOf(
  distributed: DistributedConfiguration,
  transport: Transport,
  { run, generation, rank, start }: RankRequest,
  signal: AbortSignal,
): StepExchange {
  const { exchange, workers, retainedRounds: _, ...options } = distributed;
  const place = { transport, run: `${run}-${generation}`, rank, workers, start, signal };
  const make = { averages: averageGradients, votes: voteSigns, weights: averageWeights }[exchange];
  return make({ ...options, ...place });
}

/** A checkpoint's step, and in which start of the training it was written. */
export interface CheckpointPlace {
  readonly generation: number;
  readonly step: number;
}

/** The checkpoints of a training in the store of its transport. */
export interface StoredCheckpoints {
  put(rank: number, place: CheckpointPlace, bytes: Uint8Array): Promise<void>;
  /** @throws LmdError `CHECKPOINT_CORRUPT`; `CHECKPOINT_MISMATCH` if the store does not have it */
  get(rank: number, place: CheckpointPlace): Promise<Checkpoint>;
  /** In the order in which they were written. */
  list(rank: number): Promise<CheckpointPlace[]>;
}

/** With averaged gradients all workers have one state, that of the first; otherwise momenta are a worker's own. */
export function storedCheckpoints(
  { store }: Transport,
  run: string,
  { exchange }: DistributedConfiguration,
): StoredCheckpoints {
  const prefixOf = (rank: number) => `training/${run}/${exchange === 'averages' ? 'all' : rank}/`;
  const keyOf = (rank: number, { generation, step }: CheckpointPlace) => `${prefixOf(rank)}${generation}/${step}`;
  const list = async (rank: number) => {
    const keys = await store.keys(prefixOf(rank));
    return keys
      .map((key) => key.slice(prefixOf(rank).length).split('/').map(Number) as [number, number])
      .map(([generation, step]) => ({ generation, step }))
      .sort((a, b) => a.generation - b.generation || a.step - b.step);
  };
  return {
    list,
    async put(rank, place, bytes) {
      await store.put(keyOf(rank, place), bytes);
      for (const old of (await list(rank)).slice(0, -kept)) await store.delete(keyOf(rank, old));
    },
    async get(rank, place) {
      const key = keyOf(rank, place);
      const bytes = await store.get(key);
      if (bytes !== undefined) return decodeCheckpoint(bytes, key, sha256);
      throw new LmdError(
        'CHECKPOINT_MISMATCH',
        `The store has no checkpoint of rank ${rank} after step ${place.step}.`,
        {
          subject: key,
          value: place.step,
          remedy: 'Resume with the server on which the run was started, or start a new run.',
        },
      );
    },
  };
}

const sha256 = (parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) {
    // A hash accepts less than 2 GiB at once.
    for (let from = 0; from < part.length; from += 2 ** 30) hash.update(part.subarray(from, from + 2 ** 30));
  }
  return hash.digest('hex');
};
