import { hostname } from 'node:os';
import { defaultLeaseMs, trialQueue, workerGroup } from './messages.js';
import { serveItem } from './serve-item.js';
import type { ServeOptions } from './service.js';

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
