import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LmdError } from '@lmd/core';
import type { Configuration } from '../configuration/schema.js';
import { locateData, pathOf } from '../data/index.js';
import { serializeError } from '../errors.js';
import { saveConfiguration } from '../run/run-folder.js';
import {
  decodeNews,
  encode,
  leaderGroup,
  type RankAnswer,
  type RankOrder,
  resultQueueOf,
  topicOf,
} from './messages.js';
import type { ServeContext, Service } from './service.js';

/** Time in milliseconds between two looks at the first worker. */
const lookMs = 10_000;
/** Looks in which it was missing, after which its training has ended. */
const mostMissed = 3;

/**
 * Takes the part of one worker in a training. It is handed back where this worker stops, and the one that takes it
 * resumes from its newest checkpoint in the store.
 */
export function serveRank(context: ServeContext, order: RankOrder): Service {
  const { host, work, threads, signal, worker, transport, server } = context;
  const { job, run, index, configuration } = order;
  const label = `${configuration.name}, worker ${job.rank}`;

  async function answer(outcome: RankAnswer['outcome']): Promise<void> {
    await transport
      .queue(resultQueueOf(run))
      .add(String(job.rank), encode({ rank: job.rank, worker, outcome } satisfies RankAnswer));
  }

  /** Calls a function when the first worker has not been there for some time: it was killed, and not resumed. */
  function watchLeader(lost: () => void) {
    let missed = 0;
    return setInterval(async () => {
      try {
        missed = (await transport.members.list(leaderGroup(run))).length === 0 ? missed + 1 : 0;
      } catch {
        // Without a server nobody can tell.
        return;
      }
      if (missed >= mostMissed) lost();
    }, lookMs);
  }

  async function follow(path: string | undefined): Promise<void> {
    const stop = new AbortController();
    let isStopped = false;
    const end = () => {
      isStopped = true;
      stop.abort();
    };
    const unsubscribe = await transport.topics.subscribe(topicOf(run), (bytes) => {
      if (decodeNews(bytes)?.type === 'stop') end();
    });
    const watch = watchLeader(end);
    const abort = () => stop.abort();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const folder = join(work, `${run}-${job.rank}`);
    const own: Configuration = { ...configuration, data: dataOf(configuration, path) };
    try {
      await mkdir(folder, { recursive: true });
      await saveConfiguration(folder, own);
      const outcome = await host(
        {
          ...{ configuration: own, index, threads, report: false },
          folder: join(folder, configuration.optimizers[index]!.name),
          rank: { ...job, ...(server === undefined ? {} : { server }) },
        },
        () => {},
        stop.signal,
      );
      if (outcome.status === 'interrupted' && !isStopped) throw new LmdError('INTERRUPTED', `Stopped ${label}.`);
      await answer({ ended: outcome.status === 'followed' ? 'followed' : 'stopped' });
    } finally {
      unsubscribe();
      clearInterval(watch);
      signal.removeEventListener('abort', abort);
      await rm(folder, { recursive: true, force: true });
    }
  }

  return {
    label,
    dataAt: async (path) => locateData(dataOf(configuration, path)),
    run: follow,
    fail: (error) => answer({ error: serializeError(error) }),
  };
}

/** The data at its path on this machine. */
function dataOf({ data }: Configuration, path: string | undefined): Configuration['data'] {
  return path === undefined ? data : ({ ...data, [pathOf(data)!.key]: path } as Configuration['data']);
}
