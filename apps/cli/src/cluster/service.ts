import type { Transport } from '@lmd/distributed';
import type { DataConfiguration } from '../configuration/data-schema.js';
import type { FinishedTrial, RunTrialOptions } from '../experiment/run-trial.js';
import type { PlannedTrial } from '../experiment/trial.js';
import type { TrialHost } from '../trial/request.js';
import type { CodeIdentity } from './code-identity.js';
import { encode, type Order, topicOf, type WorkerNews } from './messages.js';

export interface ServeOptions {
  readonly transport: Transport;
  readonly host: TrialHost;
  readonly code: CodeIdentity;
  /** Folder of fetched data, and of the working folders of trials. */
  readonly work: string;
  /** A copy of the study's data, to be used instead of fetching it. */
  readonly data?: string | undefined;
  readonly parallel: number;
  readonly threads: number;
  /** Time in milliseconds without a trial after which it ends; undefined: it waits. */
  readonly idleMs?: number | undefined;
  /** Time in milliseconds after which another worker gets a trial of this one if it is not heard of. */
  readonly leaseMs?: number;
  /** Address of the server, for the processes of a training; undefined: they have the transport of this one. */
  readonly server?: string;
  /** Aborting it stops the running trials after their step and hands them back to the queue. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** What runs a trial. */
  readonly execute?: (trial: PlannedTrial, options: RunTrialOptions) => Promise<FinishedTrial>;
}

/** What serves one delivery needs. */
export interface ServeContext extends ServeOptions {
  readonly leaseMs: number;
  /** Name of this worker. */
  readonly worker: string;
}

/** How an order is carried out. */
export interface Service {
  readonly label: string;
  /** The data of the order, with its path where a copy of this machine is at that path. */
  dataAt(path?: string): Promise<DataConfiguration>;
  /**
   * Runs it with the path of the data on this machine, and stores the answer.
   *
   * @throws LmdError `INTERRUPTED` where it was stopped, and is to be handed back
   */
  run(path: string | undefined): Promise<void>;
  /** Stores an error as the answer. */
  fail(error: unknown): Promise<void>;
}

/** Publishes news of an order. */
export function tell({ transport }: ServeContext, { run }: Order, news: WorkerNews): Promise<void> {
  return transport.topics.publish(topicOf(run), encode(news));
}
