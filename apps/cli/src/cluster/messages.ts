import { gunzipSync, gzipSync } from 'node:zlib';
import { LmdError } from '@lmd/core';
import type { QueueItem } from '@lmd/distributed';
import { z } from 'zod';
import type { Configuration } from '../configuration/schema.js';
import type { SerializedError } from '../errors.js';
import type { FinishedTrial } from '../experiment/run-trial.js';
import type { PlannedTrial } from '../experiment/trial.js';
import { codeIdentitySchema } from './code-identity.js';

/** The queue of the trials of all studies of a server. */
export const trialQueue = 'trials';
/** The group of the workers of a server. */
export const workerGroup = 'workers';
/** Time in milliseconds after which a trial is delivered again if its worker has not been heard of. */
export const defaultLeaseMs = 15_000;

export const resultQueueOf = (run: string): string => `results/${run}`;
export const topicOf = (run: string): string => `trials/${run}`;

/** Identity of a trial, or of the part of one worker in a training, in the queue. */
export const itemOf = (run: string, what: string | number): string => `${run}/${what}`;

const dataSchema = z.discriminatedUnion('kind', [
  /** Files, named by the hash of their manifest, and their path on the machine of the study. */
  z.strictObject({ kind: z.literal('files'), hash: z.string(), path: z.string() }),
  /** Data of an installed package, or computed. */
  z.strictObject({ kind: z.literal('source'), source: z.string() }),
]);

const shared = { run: z.string().regex(/^[\w-]+$/), code: codeIdentitySchema, data: dataSchema };

const orderSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('trial'),
    ...shared,
    trial: z.looseObject({ label: z.string(), hash: z.string(), configuration: z.looseObject({}) }),
  }),
  z.strictObject({
    kind: z.literal('rank'),
    ...shared,
    job: z.strictObject({
      run: z.string(),
      generation: z.int().min(0),
      rank: z.int().min(1),
      start: z.int().min(0),
      from: z.int().min(0),
    }),
    configuration: z.looseObject({}),
    index: z.int().min(0),
  }),
]);

type Read<Kind> = Extract<z.output<typeof orderSchema>, { readonly kind: Kind }>;

/** A trial as a worker gets it. */
export interface TrialOrder extends Omit<Read<'trial'>, 'trial'> {
  readonly trial: PlannedTrial;
}

/** The part of one worker in a training. */
export interface RankOrder extends Omit<Read<'rank'>, 'configuration'> {
  /** With the data located on the machine of the first worker. */
  readonly configuration: Configuration;
}

export type Order = TrialOrder | RankOrder;

/** What a worker has made of a trial. */
export interface TrialAnswer {
  readonly hash: string;
  readonly worker: string;
  readonly node: string;
  readonly machine: string;
  readonly date: string;
  readonly outcome: { readonly finished: FinishedTrial } | { readonly error: SerializedError };
}

/** How the part of one worker in a training has ended. */
export interface RankAnswer {
  readonly rank: number;
  readonly worker: string;
  readonly outcome: { readonly ended: 'followed' | 'stopped' } | { readonly error: SerializedError };
}

/** What a worker tells those who listen, or is told. */
export type WorkerNews =
  | { readonly type: 'step'; readonly hash: string; readonly step: number; readonly worker: string }
  | { readonly type: 'released'; readonly hash: string; readonly worker: string }
  | { readonly type: 'refused'; readonly worker: string; readonly reason: string }
  /** The first worker of a training has ended. */
  | { readonly type: 'stop' };

export const encode = (value: Order | TrialAnswer | RankAnswer | WorkerNews): Uint8Array =>
  Uint8Array.from(gzipSync(JSON.stringify(value)));

function decode(bytes: Uint8Array): unknown {
  return JSON.parse(gunzipSync(bytes).toString('utf8'));
}

/** @throws LmdError `TRANSPORT_FAILURE` for an item that is not one of this version of the program */
export function decodeOrder(bytes: Uint8Array): Order {
  try {
    return orderSchema.parse(decode(bytes)) as unknown as Order;
  } catch (cause) {
    throw new LmdError('TRANSPORT_FAILURE', `An item of the queue "${trialQueue}" is not one of this version of lmd.`, {
      subject: trialQueue,
      remedy: 'Use the same version of lmd on all machines, and another server for other programs.',
      cause,
    });
  }
}

/** An answer; undefined for an item that is damaged. */
function answerOf<T>(bytes: Uint8Array): T | undefined {
  try {
    return decode(bytes) as T;
  } catch {
    return undefined;
  }
}

/** The answer of an item, which is handed back where it is damaged: it is intact in the queue, or delivered again. */
async function readAnswer<T>(item: QueueItem): Promise<T | undefined> {
  const answer = answerOf<T>(item.payload);
  if (answer === undefined) await item.release();
  return answer;
}

export const readTrialAnswer = (item: QueueItem): Promise<TrialAnswer | undefined> => readAnswer(item);
export const readRankAnswer = (item: QueueItem): Promise<RankAnswer | undefined> => readAnswer(item);

/** Undefined for news that are damaged, which are not missed. */
export const decodeNews = (bytes: Uint8Array): WorkerNews | undefined => answerOf(bytes);

/** The group of which the first worker of a training is a member as long as it is there. */
export const leaderGroup = (run: string): string => `training/${run}`;
