import { forgotten, interrupted, workerMissing } from '../errors.js';
import type { Contribution, GatheredRound, RoundPlace } from '../transport.js';

/** One round: who has contributed, and whether it has closed. */
export class Round {
  #result: GatheredRound | undefined;
  readonly #payloads = new Map<number, Uint8Array>();
  readonly #listeners = new Set<() => void>();
  #isPastDeadline = false;
  #failure: Error | undefined;

  get closed(): boolean {
    return this.#result !== undefined;
  }

  contribute({ rank, payload, workers, quorum = workers }: Contribution): void {
    if (this.#result !== undefined || this.#payloads.has(rank)) return;
    this.#payloads.set(rank, payload.slice());
    if (this.#payloads.size === workers || this.#isPastDeadline) this.#closeWith(workers, quorum);
  }

  /** Closes the round now if a quorum has contributed, and otherwise as soon as one has. */
  pass({ workers, quorum = workers }: Contribution): void {
    this.#isPastDeadline = true;
    this.#closeWith(workers, quorum);
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#tell();
  }

  /** The round's result, once it has closed. */
  wait(place: RoundPlace, contribution: Contribution): Promise<GatheredRound> {
    const { deadlineMs, timeoutMs, signal } = contribution;
    return new Promise((resolve, reject) => {
      const timers: ReturnType<typeof setTimeout>[] = [];
      const end = (settle: () => void) => {
        for (const timer of timers) clearTimeout(timer);
        this.#listeners.delete(look);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const look = () => {
        const result = this.#result;
        if (result !== undefined) end(() => resolve(copyOf(result)));
        else if (this.#failure !== undefined) end(() => reject(this.#failure));
      };
      const abort = () => end(() => reject(interrupted(place)));
      this.#listeners.add(look);
      timers.push(setTimeout(() => end(() => reject(workerMissing(place, contribution, this.#payloads))), timeoutMs));
      if (deadlineMs !== undefined) timers.push(setTimeout(() => this.pass(contribution), deadlineMs));
      signal?.addEventListener('abort', abort);
      if (signal?.aborted === true) abort();
      else look();
    });
  }

  #closeWith(workers: number, quorum: number): void {
    if (this.#result !== undefined || this.#payloads.size < quorum) return;
    const payloads = new Map([...this.#payloads].sort(([a], [b]) => a - b));
    this.#result = { payloads, complete: payloads.size === workers };
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function copyOf({ payloads, complete }: GatheredRound): GatheredRound {
  return { payloads: new Map([...payloads].map(([rank, payload]) => [rank, payload.slice()])), complete };
}

/** The rounds of all channels. Of each channel, the newest are kept. */
export class Rounds {
  readonly #channels = new Map<string, Map<number, Round>>();
  readonly #newest = new Map<string, number>();

  constructor(readonly retained: number) {}

  /** The round at a place. Throws `TRANSPORT_FAILURE` if it is older than what is kept. */
  at(place: RoundPlace): Round {
    const { channel, round } = place;
    const newest = Math.max(round, this.#newest.get(channel) ?? 0);
    if (round <= newest - this.retained) throw forgotten(place);
    this.#newest.set(channel, newest);
    const rounds = this.#channels.get(channel) ?? new Map<number, Round>();
    this.#channels.set(channel, rounds);
    for (const [older, { closed }] of rounds) if (closed && older <= newest - this.retained) rounds.delete(older);
    const known = rounds.get(round) ?? new Round();
    rounds.set(round, known);
    return known;
  }

  fail(error: Error): void {
    for (const rounds of this.#channels.values()) for (const round of rounds.values()) round.fail(error);
  }
}
