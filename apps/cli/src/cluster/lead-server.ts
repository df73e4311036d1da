import { hostname } from 'node:os';
import type { Transport } from '@lmd/distributed';
import type { Configuration } from '../configuration/schema.js';
import { deserializeError } from '../errors.js';
import type { TrialHost } from '../trial/request.js';
import { runTrial } from '../trial/run-trial.js';
import { checkoutOf } from './checkout.js';
import { type CodeIdentity, codeIdentity } from './code-identity.js';
import {
  decodeNews,
  defaultLeaseMs,
  encode,
  itemOf,
  leaderGroup,
  type RankOrder,
  readRankAnswer,
  resultQueueOf,
  topicOf,
  trialQueue,
  workerGroup,
} from './messages.js';
import { refuseFiles, sharedDataOf } from './needed-files.js';
import { provideTransport, retainedRounds } from './rank.js';
import { threadedTransport } from './threaded-transport.js';
import { nextStart, outcomeOf, rankOf, startOf } from './training-job.js';

interface ServerHostOptions {
  readonly server: string;
  readonly configuration: Configuration;
  /** Path of the program itself. */
  readonly program: string;
  readonly say: (text: string) => void;
}

/** Calls a function with a host that trains with the workers of a server, and leaves the server afterwards. */
export async function withServerHost<T>(
  { server, configuration, program, say }: ServerHostOptions,
  body: (host: TrialHost) => Promise<T>,
): Promise<T> {
  refuseFiles(configuration, configuration.name, 'Train with --workers <count>, on this machine.');
  const code = codeIdentity(checkoutOf(program));
  const transport = await threadedTransport(server, { retainedRounds: retainedRounds(configuration) });
  try {
    return await body(leadServer(transport, { code, say }));
  } finally {
    await transport.close();
  }
}

export interface LeadOptions {
  readonly code: CodeIdentity;
  readonly say: (text: string) => void;
  /** Time in milliseconds after which a worker's part is delivered again; as workers have it. */
  readonly leaseMs?: number;
}

/** Time in milliseconds that the first worker waits for the others to end, once it has ended itself. */
const endMs = 30_000;

/**
 * Trains with the workers of a server: the first in this process, and the parts of the others as items of the queue,
 * which `lmd worker` takes. A part whose worker is not heard of is delivered to another.
 */
export function leadServer(transport: Transport, { code, say, leaseMs = defaultLeaseMs }: LeadOptions): TrialHost {
  const queue = transport.queue(trialQueue, { leaseMs });
  const dataOf = sharedDataOf(transport, true);

  return async (request, emit, signal) => {
    const { configuration, index } = request;
    const { workers } = configuration.distributed!;
    const job = await nextStart(request.folder);
    const start = await startOf(transport, job, request);
    const nameOf = (generation: number) => `${job.run}-${generation}`;
    const run = nameOf(job.generation);
    const ranks = Array.from({ length: workers - 1 }, (_, other) => other + 1);
    const end = async (name: string) => {
      await transport.topics.publish(topicOf(name), encode({ type: 'stop' }));
      for (const rank of ranks) await queue.remove(itemOf(name, rank));
    };
    // Workers of an earlier start, which was killed, may still wait for its first worker.
    if (job.generation > 0) await end(nameOf(job.generation - 1));

    const results = transport.queue(resultQueueOf(run));
    const stop = new AbortController();
    const abort = () => stop.abort();
    const left = new Set(ranks);
    let failure: { readonly error: unknown } | undefined;
    const receiving = new AbortController();
    async function receive(): Promise<void> {
      while (left.size > 0 && !receiving.signal.aborted) {
        const item = await results.take({ timeoutMs: 60_000, signal: receiving.signal });
        if (item === undefined) continue;
        const answer = await readRankAnswer(item);
        if (answer === undefined) continue;
        const { rank, worker, outcome } = answer;
        await item.done();
        await results.remove(item.id);
        left.delete(rank);
        if (!('error' in outcome)) continue;
        say(`Worker ${rank}, ${worker}, failed.`);
        failure ??= { error: deserializeError(outcome.error) };
        stop.abort();
      }
    }
    const fail = (error: unknown) => {
      failure ??= { error };
      stop.abort();
    };

    const unsubscribe = await transport.topics.subscribe(topicOf(run), (bytes) => {
      const news = decodeNews(bytes);
      if (news === undefined) return;
      if (news.type === 'refused') say(`Worker ${news.worker} has refused its part: ${news.reason}`);
      if (news.type === 'released')
        say(`Worker ${news.hash}, ${news.worker}, has left; another one may take its part.`);
    });
    const withdraw = provideTransport(job.run, transport);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const member = await transport.members.join(leaderGroup(run), hostname());
    const data = await dataOf(configuration.data);
    for (const rank of ranks) {
      const order: RankOrder = { kind: 'rank', run, code, data, job: rankOf(job, rank, start), configuration, index };
      await queue.add(itemOf(run, rank), encode(order), { priority: 'high' });
    }
    const there = (await transport.members.list(workerGroup)).length;
    const others = ranks.length === 1 ? 'one other worker' : `${ranks.length} other workers`;
    say(`${transport.name}: needs ${others}, and ${there} wait. Each lmd worker <server> adds one.`);
    const received = receive().catch(fail);
    const own = await outcomeOf(runTrial({ ...request, rank: rankOf(job, 0, start) }, emit, stop.signal));
    // After the last step nobody waits for this worker; in any other case the others do.
    if ('error' in own || own.outcome.status !== 'finished') await end(run);
    const timer = setTimeout(() => receiving.abort(), endMs);
    await received;
    clearTimeout(timer);
    await end(run);
    await member.leave();
    unsubscribe();
    withdraw();
    signal.removeEventListener('abort', abort);
    // What ended this worker may be the end of another.
    if (failure !== undefined) throw failure.error;
    if ('error' in own) throw own.error;
    return own.outcome;
  };
}
