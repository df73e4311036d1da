import { hostname } from 'node:os';
import { join } from 'node:path';
import { isLmdError, LmdError, messageOf } from '@lmd/core';
import type { QueueItem, Transport } from '@lmd/distributed';
import { describeSource } from '../data/index.js';
import { serializeError } from '../errors.js';
import { describeEnvironment } from '../experiment/ledger/provenance.js';
import { type FinishedTrial, type RunTrialOptions, runTrial, trialConfiguration } from '../experiment/run-trial.js';
import type { PlannedTrial } from '../experiment/trial.js';
import type { TrialHost } from '../trial/request.js';
import { type CodeIdentity, codeDifference } from './code-identity.js';
import { checkData, fetchData } from './shared-data.js';
import {
  decodeOrder,
  defaultLeaseMs,
  encode,
  resultQueueOf,
  type TrialAnswer,
  type TrialOrder,
  topicOf,
  trialQueue,
  type WorkerNews,
  workerGroup,
} from './trial-messages.js';

export interface ServeTrialsOptions {
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
  /** Aborting it stops the running trials after their step and hands them back to the queue. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** What runs a trial. */
  readonly execute?: (trial: PlannedTrial, options: RunTrialOptions) => Promise<FinishedTrial>;
}

/** Time in milliseconds between two reports of a trial's step. */
const reportMs = 500;
/** Deliveries after which a trial is taken to be what ends its workers. */
const mostDeliveries = 10;
/** The longest time that a worker waits for a trial before it looks whether it has been idle. */
const takeMs = 2000;

/**
 * Runs trials of the queue until the signal is aborted, or nothing has come for `idleMs`.
 *
 * @returns number of trials that it has finished
 * @throws LmdError `INVALID_ARGUMENT` if a trial is of another version of the code or of other data than this worker's
 */
export async function serveTrials(options: ServeTrialsOptions): Promise<number> {
  const { transport, parallel, leaseMs = defaultLeaseMs, idleMs, signal, say } = options;
  const name = `${hostname()}-${process.pid}`;
  const member = await transport.members.join(workerGroup, name);
  const queue = transport.queue(trialQueue, { leaseMs });
  const stop = new AbortController();
  const abort = () => stop.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  let finished = 0;

  async function takeAll(): Promise<void> {
    let idleSince = performance.now();
    while (!stop.signal.aborted) {
      const item = await queue.take({ timeoutMs: Math.min(takeMs, idleMs ?? takeMs), signal: stop.signal });
      if (item !== undefined) {
        if (await new ServedTrial(options, name, item, stop.signal).run()) finished++;
        idleSince = performance.now();
      } else if (idleMs !== undefined && performance.now() - idleSince >= idleMs) {
        say(`No trial for ${idleMs / 1000} s.`);
        return;
      }
    }
  }

  try {
    const takers = Array.from({ length: parallel }, () =>
      takeAll().catch((error) => {
        // The others hand back what they have.
        stop.abort();
        throw error;
      }),
    );
    const failure = (await Promise.allSettled(takers)).find((taker) => taker.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    return finished;
  } finally {
    signal.removeEventListener('abort', abort);
    await member.leave();
  }
}

/** One delivery of a trial. */
class ServedTrial {
  constructor(
    readonly options: ServeTrialsOptions,
    readonly worker: string,
    readonly item: QueueItem,
    readonly signal: AbortSignal,
  ) {}

  /** @returns whether the trial has an answer, and was not handed back */
  async run(): Promise<boolean> {
    const { item, worker } = this;
    const { code, say, leaseMs = defaultLeaseMs } = this.options;
    const order = decodeOrder(item.payload);
    const { label, hash } = order.trial;
    if (this.signal.aborted) {
      await item.release();
      return false;
    }
    if (item.delivery > mostDeliveries) {
      await this.answer(order, { error: serializeError(neverFinished(label, item.delivery)) });
      return true;
    }
    const heartbeat = setInterval(() => {
      item.extend().catch((error) => say(`${label}: ${messageOf(error)}`));
    }, leaseMs / 3);
    try {
      const difference = codeDifference(code, order.code);
      if (difference !== undefined) throw otherCode(label, difference);
      const data = await this.locate(order);
      say(`${label}: started`);
      const result = await this.execute(order, data);
      await this.answer(order, { finished: result });
      say(`${label}: finished in ${result.seconds.toFixed(1)} s`);
      return true;
    } catch (error) {
      if (isLmdError(error, 'INTERRUPTED')) {
        await item.release();
        await this.tell(order, { type: 'released', hash, worker });
        say(`${label}: handed back`);
        return false;
      }
      if (error instanceof Refusal) {
        await item.release();
        await this.tell(order, { type: 'refused', worker, reason: error.reason.message });
        throw error.reason;
      }
      await this.answer(order, { error: serializeError(error) });
      say(`${label}: ${messageOf(error)}`);
      return true;
    } finally {
      clearInterval(heartbeat);
    }
  }

  /** The path of the data on this machine; undefined for data without files. */
  async locate({ trial, data: needed }: TrialOrder): Promise<string | undefined> {
    const { transport, work, data } = this.options;
    try {
      if (needed.kind === 'files') {
        if (data === undefined) return await fetchData(transport.store, needed.hash, join(work, 'data'));
        await checkData((await trialConfiguration(trial, data)).data, needed.hash);
        return data;
      }
      const source = describeSource((await trialConfiguration(trial)).data);
      if (source === needed.source) return undefined;
      throw new LmdError('INVALID_ARGUMENT', `The data here is ${source}, but the study has ${needed.source}.`, {
        subject: 'data',
        value: source,
        remedy: 'Install the version of the study.',
      });
    } catch (error) {
      if (isLmdError(error, 'TRANSPORT_FAILURE') || !isLmdError(error)) throw error;
      throw new Refusal(error);
    }
  }

  async execute(order: TrialOrder, data: string | undefined): Promise<FinishedTrial> {
    const { host, work, threads, execute = runTrial } = this.options;
    const { trial } = order;
    let reported = Number.NEGATIVE_INFINITY;
    const report = (step: number) => {
      if (performance.now() - reported < reportMs) return;
      reported = performance.now();
      // Progress that is lost is not missed.
      this.tell(order, { type: 'step', hash: trial.hash, step, worker: this.worker }).catch(() => {});
    };
    report(0);
    const folder = join(work, trial.hash.slice(0, 16));
    const finished = await execute(trial, { host, folder, data, threads, signal: this.signal, onStep: report });
    return data === undefined || order.data.kind !== 'files' ? finished : withPath(finished, data, order.data.path);
  }

  async answer({ run, trial }: TrialOrder, outcome: TrialAnswer['outcome']): Promise<void> {
    const { node, machine } = describeEnvironment(undefined);
    const date = new Date().toISOString();
    const answer: TrialAnswer = { hash: trial.hash, worker: this.worker, node, machine, date, outcome };
    await this.options.transport.queue(resultQueueOf(run)).add(trial.hash, encode(answer));
    await this.item.done();
  }

  tell({ run }: TrialOrder, news: WorkerNews): Promise<void> {
    return this.options.transport.topics.publish(topicOf(run), encode(news));
  }
}

/** A trial that this worker cannot run as the study would. */
class Refusal extends Error {
  constructor(readonly reason: LmdError) {
    super(reason.message);
  }
}

function otherCode(label: string, difference: string): Refusal {
  return new Refusal(
    new LmdError('INVALID_ARGUMENT', `${label} is of another version of the code: ${difference}.`, {
      subject: 'code',
      value: difference,
      remedy: 'Use the same version on all machines: the same packages, or the same commit with npm run setup.',
    }),
  );
}

function neverFinished(label: string, deliveries: number): LmdError {
  return new LmdError(
    'BACKEND_FAILURE',
    `${label} was started ${deliveries - 1} times, and no worker has finished it.`,
    {
      subject: label,
      value: deliveries - 1,
      remedy: 'If memory ran out, use a smaller batchSize, or workers with more.',
    },
  );
}

/** The result with the path of the study's data where that of this machine is, so that records do not differ by it. */
function withPath(finished: FinishedTrial, path: string, original: string): FinishedTrial {
  const { data } = finished.result;
  if (data === undefined) return finished;
  return { ...finished, result: { ...finished.result, data: data.replaceAll(path, original) } };
}
