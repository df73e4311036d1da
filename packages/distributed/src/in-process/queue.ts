import { type Queue, type QueueItem, type QueueOptions, type QueuePriority, queuePriorities } from '../transport.js';

interface Entry {
  readonly id: string;
  /** Index into `queuePriorities`. */
  readonly rank: number;
  readonly payload: Uint8Array;
  delivery: number;
  /** Number of the delivery that has the lease, and the timer that ends it. */
  lease: { readonly delivery: number; timer: ReturnType<typeof setTimeout> } | undefined;
}

export class InProcessQueue implements Queue {
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: Entry[] = [];
  readonly #takers: ((entry: Entry | undefined) => void)[] = [];
  readonly #leaseMs: number;

  constructor({ leaseMs = 30_000 }: QueueOptions = {}) {
    this.#leaseMs = leaseMs;
  }

  async add(
    id: string,
    payload: Uint8Array,
    { priority = 'normal' }: { readonly priority?: QueuePriority } = {},
  ): Promise<boolean> {
    if (this.#entries.has(id)) return false;
    const rank = queuePriorities.indexOf(priority);
    const entry: Entry = { id, rank, payload: payload.slice(), delivery: 0, lease: undefined };
    this.#entries.set(id, entry);
    this.#offer(entry);
    return true;
  }

  async remove(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    clearTimeout(entry.lease?.timer);
    entry.lease = undefined;
    const at = this.#waiting.indexOf(entry);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  async take({ timeoutMs, signal }: Parameters<Queue['take']>[0]): Promise<QueueItem | undefined> {
    const entry = this.#waiting.shift() ?? (await this.#next(timeoutMs, signal));
    return entry && this.#lend(entry);
  }

  /** The next entry that is offered; undefined after the time, or if the signal aborts. */
  #next(timeoutMs: number, signal: AbortSignal | undefined): Promise<Entry | undefined> {
    return new Promise((resolve) => {
      const end = (entry?: Entry) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        const at = this.#takers.indexOf(end);
        if (at >= 0) this.#takers.splice(at, 1);
        resolve(entry);
      };
      const stop = () => end();
      const timer = setTimeout(stop, timeoutMs);
      signal?.addEventListener('abort', stop);
      this.#takers.push(end);
      if (signal?.aborted === true) stop();
    });
  }

  #lend(entry: Entry): QueueItem {
    entry.delivery++;
    const { delivery } = entry;
    const begin = () => {
      clearTimeout(entry.lease?.timer);
      entry.lease = { delivery, timer: setTimeout(giveBack, this.#leaseMs) };
      // A lease that nobody waits for must not keep the process alive.
      (entry.lease.timer as { unref?: () => void }).unref?.();
    };
    const end = () => {
      if (entry.lease?.delivery !== delivery) return false;
      clearTimeout(entry.lease.timer);
      entry.lease = undefined;
      return true;
    };
    const giveBack = () => {
      if (end()) this.#offer(entry);
    };
    begin();
    return {
      id: entry.id,
      payload: entry.payload.slice(),
      delivery,
      done: async () => void end(),
      release: async () => giveBack(),
      extend: async () => {
        if (entry.lease?.delivery === delivery) begin();
      },
    };
  }

  #offer(entry: Entry): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker(entry);
      return;
    }
    const next = this.#waiting.findIndex(({ rank }) => rank > entry.rank);
    this.#waiting.splice(next < 0 ? this.#waiting.length : next, 0, entry);
  }

  stop(): void {
    for (const taker of [...this.#takers]) taker(undefined);
  }
}
