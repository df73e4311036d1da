import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LmdError } from '@lmd/core';
import type { QueueItem, QueuePriority, Transport } from '@lmd/distributed';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { z } from 'zod';
import { readJsonFile } from '../configuration/load.js';
import { deserializeError } from '../errors.js';
import { trialConfiguration } from '../experiment/run-trial.js';
import type { PlannedTrial } from '../experiment/trial.js';
import type { RanTrial, TrialProgress, TrialRunner } from '../experiment/trial-runner.js';
import type { CodeIdentity } from './code-identity.js';
import {
  decodeNews,
  defaultLeaseMs,
  encode,
  itemOf,
  readTrialAnswer,
  resultQueueOf,
  type TrialAnswer,
  type TrialOrder,
  topicOf,
  trialQueue,
} from './messages.js';
import { refuseFiles, sharedDataOf } from './needed-files.js';

export interface ClusterRunnerOptions {
  readonly transport: Transport;
  /** The folder of the ledger, in which the name of the run in the queue is kept. */
  readonly out: string;
  /** Folder or file of the data, overrides that of the configurations. */
  readonly data?: string | undefined;
  /** Whether the files of the data are put into the store, from which workers fetch them. */
  readonly upload: boolean;
  readonly priority: QueuePriority;
  /** Time in milliseconds after which a trial is delivered again if its worker is not heard of; as workers have it. */
  readonly leaseMs?: number;
  /** What the workers' code must be. */
  readonly code: CodeIdentity;
  /** Shows a line of text to the user. */
  readonly say: (text: string) => void;
}

export interface ClusterRunner extends TrialRunner {
  /** Stops receiving. Trials that have begun are finished by their workers, and their results wait in the queue. */
  close(): Promise<void>;
}

/**
 * Runs trials on the workers of a server. A trial is an item of a queue, and its result one of another queue, which is
 * removed when it is in the ledger: a trial that was delivered twice counts once, and a study that was killed finds the
 * results that came meanwhile.
 */
export async function clusterRunner(options: ClusterRunnerOptions): Promise<ClusterRunner> {
  const { transport, out, data, upload, priority, code, say, leaseMs = defaultLeaseMs } = options;
  const run = await nameOfRun(out);
  const trials = transport.queue(trialQueue, { leaseMs });
  const results = transport.queue(resultQueueOf(run));
  const waiting = new Map<string, Waiting>();
  /** Results that came before their trial was asked for: of a study that was killed. */
  const early = new Map<string, Answered>();
  const begun = new Set<string>();
  const receiving = new AbortController();
  const dataOf = sharedDataOf(transport, upload);

  const unsubscribe = await transport.topics.subscribe(topicOf(run), (bytes) => {
    const news = decodeNews(bytes);
    if (news === undefined) return;
    if (news.type === 'refused') say(`Worker ${news.worker} has refused a trial: ${news.reason}`);
    else if (news.type !== 'stop') waiting.get(news.hash)?.tell(news.type === 'step' ? news.step : undefined);
  });

  async function receive(recorded: ReadonlyMap<string, unknown>): Promise<void> {
    while (!receiving.signal.aborted) {
      const item = await results.take({ timeoutMs: 60_000, signal: receiving.signal });
      if (item === undefined) continue;
      const answer = await readTrialAnswer(item);
      if (answer === undefined) continue;
      const one = waiting.get(answer.hash);
      if (one !== undefined) one.answer(answer, item);
      // Of a trial that was delivered twice, or whose record was written before the study was killed.
      else if (recorded.has(answer.hash)) await forget(answer.hash, item);
      else early.set(answer.hash, { answer, item });
    }
  }

  async function forget(hash: string, item?: QueueItem): Promise<void> {
    await trials.remove(itemOf(run, hash));
    await item?.done();
    await results.remove(hash);
  }

  async function submit(trial: PlannedTrial): Promise<void> {
    const configuration = await trialConfiguration(trial, data);
    refuseFiles(configuration, trial.label, 'Run this study without --on.');
    const order: TrialOrder = { kind: 'trial', run, trial, code, data: await dataOf(configuration.data) };
    await trials.add(itemOf(run, trial.hash), encode(order), { priority });
  }

  async function answerOf(trial: PlannedTrial, { signal, onStep }: TrialProgress): Promise<Answered> {
    const known = early.get(trial.hash);
    early.delete(trial.hash);
    if (known !== undefined) return known;
    let stop = () => {};
    const answered = new Promise<Answered>((resolve, reject) => {
      stop = () => reject(new LmdError('INTERRUPTED', `Stopped ${trial.label}.`));
      waiting.set(trial.hash, {
        answer: (answer, item) => resolve({ answer, item }),
        tell(step) {
          if (step === undefined) begun.delete(trial.hash);
          else begun.add(trial.hash);
          if (step !== undefined) onStep(step);
        },
        fail: reject,
      });
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
    });
    // It may be rejected while the trial is still being submitted.
    answered.catch(() => {});
    try {
      await submit(trial);
      return await answered;
    } catch (error) {
      // A worker that has begun finishes the trial, and its result waits for the next run.
      if (!begun.has(trial.hash)) await trials.remove(itemOf(run, trial.hash));
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      waiting.delete(trial.hash);
      begun.delete(trial.hash);
    }
  }

  async function runOne(trial: PlannedTrial, progress: TrialProgress): Promise<RanTrial> {
    const { answer, item } = await answerOf(trial, progress);
    const { outcome, worker, node, machine, date } = answer;
    if ('error' in outcome) {
      await forget(trial.hash, item);
      const error = deserializeError(outcome.error);
      say(`Worker ${worker}: ${trial.label} failed.`);
      throw error;
    }
    const { commit, versions } = code;
    return {
      finished: outcome.finished,
      provenance: { commit, versions, node, machine, date },
      settle: () => forget(trial.hash, item),
    };
  }

  let received: Promise<void> = Promise.resolve();
  return {
    capacity: Number.POSITIVE_INFINITY,
    parallel: () => begun.size,
    start(recorded) {
      received = receive(recorded).catch((error) => {
        for (const one of waiting.values()) one.fail(error);
      });
    },
    run: runOne,
    async close() {
      receiving.abort();
      unsubscribe();
      await received;
    },
  };
}

interface Waiting {
  answer(answer: TrialAnswer, item: QueueItem): void;
  /** The trial's step; undefined if its worker has handed it back. */
  tell(step: number | undefined): void;
  fail(error: unknown): void;
}

interface Answered {
  readonly answer: TrialAnswer;
  readonly item: QueueItem;
}

const nameSchema = z.strictObject({ run: z.string().regex(/^[\w-]+$/) });

/** The name under which the ledger of this folder knows its trials, in the queue too. Kept beside the ledger. */
async function nameOfRun(out: string): Promise<string> {
  const path = join(out, 'queue.json');
  if (existsSync(path)) return nameSchema.parse(readJsonFile(path)).run;
  const run = randomUUID();
  await writeFileAtomic(path, `${JSON.stringify({ run })}\n`);
  return run;
}
