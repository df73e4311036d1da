import { gunzipSync, gzipSync } from 'node:zlib';
import { LmdError } from '@lmd/core';
import { z } from 'zod';
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

/** Identity of a trial in the queue. */
export const itemOf = (run: string, hash: string): string => `${run}/${hash}`;

const dataSchema = z.discriminatedUnion('kind', [
  /** Files, named by the hash of their manifest, and their path on the machine of the study. */
  z.strictObject({ kind: z.literal('files'), hash: z.string(), path: z.string() }),
  /** Data of an installed package, or computed. */
  z.strictObject({ kind: z.literal('source'), source: z.string() }),
]);

const orderSchema = z.strictObject({
  run: z.string().regex(/^[\w-]+$/),
  trial: z.looseObject({ label: z.string(), hash: z.string(), configuration: z.looseObject({}) }),
  code: codeIdentitySchema,
  data: dataSchema,
});

/** A trial as a worker gets it. */
export interface TrialOrder extends Omit<z.output<typeof orderSchema>, 'trial'> {
  readonly trial: PlannedTrial;
}

/** What a worker has made of a trial. */
export interface TrialAnswer {
  readonly hash: string;
  readonly worker: string;
  readonly node: string;
  readonly machine: string;
  readonly date: string;
  readonly outcome: { readonly finished: FinishedTrial } | { readonly error: SerializedError };
}

/** What a worker tells those who listen. */
export type WorkerNews =
  | { readonly type: 'step'; readonly hash: string; readonly step: number; readonly worker: string }
  | { readonly type: 'released'; readonly hash: string; readonly worker: string }
  | { readonly type: 'refused'; readonly worker: string; readonly reason: string };

export const encode = (value: TrialOrder | TrialAnswer | WorkerNews): Uint8Array =>
  Uint8Array.from(gzipSync(JSON.stringify(value)));

function decode(bytes: Uint8Array): unknown {
  return JSON.parse(gunzipSync(bytes).toString('utf8'));
}

/** @throws LmdError `TRANSPORT_FAILURE` for an item that is not a trial of this version of the program */
export function decodeOrder(bytes: Uint8Array): TrialOrder {
  try {
    return orderSchema.parse(decode(bytes)) as unknown as TrialOrder;
  } catch (cause) {
    throw new LmdError('TRANSPORT_FAILURE', `An item of the queue "${trialQueue}" is not a trial.`, {
      subject: trialQueue,
      remedy: 'Use the same version of lmd on all machines, and another server for other programs.',
      cause,
    });
  }
}

export const decodeAnswer = (bytes: Uint8Array): TrialAnswer => decode(bytes) as TrialAnswer;
export const decodeNews = (bytes: Uint8Array): WorkerNews => decode(bytes) as WorkerNews;
