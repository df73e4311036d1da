import { LmdError } from '@lmd/core';
import type { Contribution, RoundPlace } from './transport.js';

/** A round that has not closed in time, with the ranks that are missing. */
export function workerMissing(
  { channel, round }: RoundPlace,
  { workers, quorum = workers, timeoutMs }: Contribution,
  present: ReadonlySet<number> | ReadonlyMap<number, unknown>,
): LmdError {
  const missing = Array.from({ length: workers }, (_, rank) => rank).filter((rank) => !present.has(rank));
  const needed = quorum === workers ? `all ${workers}` : `${quorum} of ${workers}`;
  return new LmdError(
    'WORKER_MISSING',
    `Round ${round} of "${channel}" needs ${needed} workers. After ${timeoutMs} ms, rank ` +
      `${missing.join(', ')} ${missing.length === 1 ? 'has' : 'have'} not answered.`,
    {
      subject: channel,
      value: missing,
      remedy: 'Look into the logs of these workers, and resume all from a checkpoint; or raise timeoutMs.',
    },
  );
}

export function interrupted({ channel, round }: RoundPlace): LmdError {
  return new LmdError('INTERRUPTED', `Round ${round} of "${channel}" was interrupted by its signal.`, {
    subject: channel,
    value: round,
  });
}

export function forgotten({ channel, round }: RoundPlace): LmdError {
  return new LmdError('TRANSPORT_FAILURE', `Round ${round} of "${channel}" is no longer stored.`, {
    subject: channel,
    value: round,
    remedy: 'Resume from a newer checkpoint, or start the run with another name.',
  });
}

export function closed(name: string): LmdError {
  return new LmdError('TRANSPORT_FAILURE', `The transport "${name}" is closed.`, {
    subject: name,
    remedy: 'Close a transport only after the last call has returned.',
  });
}
