import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LmdError } from '@lmd/core';
import { averageGradients, type Transport, voteSigns } from '@lmd/distributed';
import {
  type Checkpoint,
  decodeCheckpoint,
  type LoadedCheckpoint,
  type Plugin,
  type StepExchange,
} from '@lmd/training';
import type { DistributedConfiguration } from '../configuration/distributed-schema.js';
import type { Configuration } from '../configuration/schema.js';
import { connectTransport } from './connect.js';

/** The part of one worker in a training, as plain data. */
export interface RankRequest {
  /** Name of the training, the same when it is resumed. */
  readonly run: string;
  /** Counts how often it was started: messages of an earlier start are not those of a later one. */
  readonly generation: number;
  readonly rank: number;
  /** Step from which all workers start. */
  readonly start: number;
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
  return distributed?.retainedRounds ?? 2 * checkpoints.every + 2;
}

/** Number of newest checkpoints of each worker in the store: the newest that all have is among them. */
const kept = 3;

/** Connects a worker to the others. */
export async function openRank(
  configuration: Configuration,
  request: RankRequest,
  signal: AbortSignal,
): Promise<OpenRank> {
  const { run, rank, start, server } = request;
  const distributed = configuration.distributed!;
  const own = provided.get(run);
  const transport = own ?? (await connectTransport(server!, { retainedRounds: retainedRounds(configuration) }));
  const checkpoints = storedCheckpoints(transport, run, distributed);
  return {
    exchange: exchangeOf(distributed, transport, request, signal),
    plugin: {
      name: 'sharedCheckpoints',
      async checkpoint({ step, path }) {
        if (distributed.exchange === 'votes' || rank === 0) await checkpoints.put(rank, step, await readFile(path));
      },
    },
    async resume() {
      const steps = (await checkpoints.steps(rank)).filter((step) => step >= start);
      // The first worker starts where all do; one that replaces another repeats the steps from its newest checkpoint.
      const step = rank === 0 ? start : Math.max(start, ...steps);
      if (step === 0) return undefined;
      return { checkpoint: await checkpoints.get(rank, step) };
    },
    close: async () => {
      if (own === undefined) await transport.close();
    },
  };
}

function exchangeOf(
  distributed: DistributedConfiguration,
  transport: Transport,
  { run, generation, rank }: RankRequest,
  signal: AbortSignal,
): StepExchange {
  const { exchange, workers, retainedRounds: _, ...options } = distributed;
  const place = { transport, run: `${run}-${generation}`, rank, workers, signal };
  return exchange === 'votes' ? voteSigns({ ...options, ...place }) : averageGradients({ ...options, ...place });
}

/** The checkpoints of a training in the store of its transport. */
export interface StoredCheckpoints {
  put(rank: number, step: number, bytes: Uint8Array): Promise<void>;
  /** @throws LmdError `CHECKPOINT_CORRUPT`; `CHECKPOINT_MISMATCH` if the store does not have it */
  get(rank: number, step: number): Promise<Checkpoint>;
  /** Ascending. */
  steps(rank: number): Promise<number[]>;
}

/** With averaged gradients all workers have one state, that of the first; with votes, momenta are a worker's own. */
export function storedCheckpoints(
  { store }: Transport,
  run: string,
  { exchange }: DistributedConfiguration,
): StoredCheckpoints {
  const prefixOf = (rank: number) => `training/${run}/${exchange === 'votes' ? rank : 'all'}/`;
  const keyOf = (rank: number, step: number) => `${prefixOf(rank)}${String(step).padStart(8, '0')}`;
  const steps = async (rank: number) => {
    const keys = await store.keys(prefixOf(rank));
    return keys.map((key) => Number(key.slice(prefixOf(rank).length))).sort((a, b) => a - b);
  };
  return {
    steps,
    async put(rank, step, bytes) {
      await store.put(keyOf(rank, step), bytes);
      for (const old of (await steps(rank)).slice(0, -kept)) await store.delete(keyOf(rank, old));
    },
    async get(rank, step) {
      const key = keyOf(rank, step);
      const bytes = await store.get(key);
      if (bytes !== undefined) return decodeCheckpoint(bytes, key, sha256);
      throw new LmdError('CHECKPOINT_MISMATCH', `The store has no checkpoint of rank ${rank} after step ${step}.`, {
        subject: key,
        value: step,
        remedy: 'Resume with the server on which the run was started, or start a new run.',
      });
    },
  };
}

const sha256 = (parts: Iterable<Uint8Array>): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};
