import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { type InProcessTransportOptions, inProcessTransport, serveTransport } from '@lmd/distributed';
import type { Configuration } from '../configuration/schema.js';
import { deserializeError } from '../errors.js';
import { trialLayout } from '../run/layout.js';
import { saveConfiguration } from '../run/run-folder.js';
import type { TrialHost, TrialRequest } from '../trial/request.js';
import { runTrial } from '../trial/run-trial.js';
import { folderStore } from './folder-store.js';
import { provideTransport } from './rank.js';
import type { FromRank, RankThread } from './rank-thread.js';
import { nextStart, outcomeOf, rankOf, startOf } from './training-job.js';

/**
 * Trains with several workers on this machine: the first in this thread, and each other one in a thread of its own.
 * Checkpoints of the others are in the folder `workers` beside those of the first.
 */
export const leadThreads: TrialHost = async (request, emit, signal) => {
  const { configuration, folder } = request;
  const { workers } = configuration.distributed!;
  const job = await nextStart(folder);
  const memory = inProcessTransport(retention(configuration));
  const transport = { ...memory, store: folderStore(trialLayout(folder).workers) };
  const start = await startOf(transport, job, request);
  const threads = Math.max(
    1,
    Math.floor((request.threads ?? configuration.threads ?? availableParallelism()) / workers),
  );
  const work = await mkdtemp(join(tmpdir(), 'lmd-workers-'));
  const withdraw = provideTransport(job.run, transport);
  const stop = new AbortController();
  const abort = () => stop.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  let failure: { readonly error: unknown } | undefined;

  async function follow(rank: number): Promise<void> {
    const own = join(work, String(rank));
    await mkdir(own);
    await saveConfiguration(own, configuration);
    const name = configuration.optimizers[request.index]!.name;
    const follower = { ...request, folder: join(own, name), threads, report: false, rank: rankOf(job, rank, start) };
    try {
      await inThread(follower, transport, stop.signal);
    } catch (error) {
      failure ??= { error };
      stop.abort();
    }
  }

  try {
    const followers = Array.from({ length: workers - 1 }, (_, index) => follow(index + 1));
    const own = await outcomeOf(runTrial({ ...request, threads, rank: rankOf(job, 0, start) }, emit, stop.signal));
    if ('error' in own) stop.abort();
    await Promise.all(followers);
    // What ended this worker may be the end of another.
    if (failure !== undefined) throw failure.error;
    if ('error' in own) throw own.error;
    return own.outcome;
  } finally {
    signal.removeEventListener('abort', abort);
    withdraw();
    await transport.close();
    await rm(work, { recursive: true, force: true });
  }
};

/**
 * The rounds that are kept. A thread that ends ends the others, so nobody repeats steps: without a quorum, nobody asks
 * for a round after another has asked for the next one, and payloads need no copies.
 */
function retention({ distributed }: Configuration): InProcessTransportOptions {
  const { retainedRounds } = distributed!;
  if (retainedRounds !== undefined) return { retainedRounds };
  const hasQuorum = distributed!.exchange === 'votes' && distributed!.quorum !== undefined;
  return hasQuorum ? {} : { retainedRounds: 1 };
}

/** Runs a worker in a thread of its own, to which a port brings the transport. */
function inThread(request: TrialRequest, transport: Parameters<typeof serveTransport>[0], signal: AbortSignal) {
  return new Promise<void>((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    const end = serveTransport(transport, port1);
    const data: RankThread = { request, port: port2 };
    const thread = new Worker(new URL('./cluster/rank-thread.js', import.meta.url), {
      workerData: data,
      transferList: [port2],
    });
    const stop = () => thread.postMessage('stop');
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    let outcome: FromRank | undefined;
    thread.on('message', (message: FromRank) => {
      outcome = message;
    });
    thread.on('error', reject);
    thread.on('exit', (code) => {
      end();
      port1.close();
      signal.removeEventListener('abort', stop);
      if (outcome === undefined) reject(new Error(`The thread of worker ${request.rank!.rank} has ended (${code}).`));
      else if ('error' in outcome) reject(deserializeError(outcome.error));
      else resolve();
    });
  });
}
