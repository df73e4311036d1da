import { hostname } from 'node:os';
import type { Transport } from '@lmd/distributed';
import type { FinishedTrial, RunTrialOptions } from '../experiment/run-trial.js';
import type { PlannedTrial } from '../experiment/trial.js';
import type { TrialHost } from '../trial/request.js';
import type { CodeIdentity } from './code-identity.js';
import { defaultLeaseMs, trialQueue, workerGroup } from './messages.js';
import { serveItem } from './serve-item.js';

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

/** The longest time that a worker waits for an item before it looks whether it has been idle. */
const takeMs = 2000;

/**
 * Runs trials, and parts of trainings, of a server's queue until the signal is aborted, or nothing has come for
 * `idleMs`.
 *
 * @returns number of those that it has finished
 * @throws LmdError `INVALID_ARGUMENT` if one is of another version of the code or of other data than this worker's
 */
export async function serve(options: ServeOptions): Promise<number> {
  const { transport, parallel, leaseMs = defaultLeaseMs, idleMs, signal, say } = options;
  const worker = `${hostname()}-${process.pid}`;
  const member = await transport.members.join(workerGroup, worker);
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
        if (await serveItem({ ...options, leaseMs, worker, signal: stop.signal }, item)) finished++;
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
