import { forgotten, interrupted, workerMissing } from '../errors.js';
import { PayloadMemory } from '../payload-memory.js';
import type { Contribution, GatheredRound, RoundPlace } from '../transport.js';

/** One round: who has contributed, and whether it has closed. */
export class Round {
  #result: GatheredRound | undefined;
  readonly #payloads = new Map<number, Uint8Array>();
  /** Ranks that have asked for the round, and may read its payloads. */
  readonly readers = new Set<number>();
  readonly #memory: PayloadMemory;
  readonly #copies: Uint8Array[] = [];
  readonly #takesLent: boolean;
  readonly #listeners = new Set<() => void>();
  #isPastDeadline = false;
  #failure: Error | undefined;

  constructor(memory: PayloadMemory, takesLent: boolean) {
    this.#memory = memory;
    this.#takesLent = takesLent;
  }

  get closed(): boolean {
    return this.#result !== undefined;
  }

  contribute({ rank, payload, workers, quorum = workers, isLent = false }: Contribution): void {
    this.readers.add(rank);
    if (this.#result !== undefined || this.#payloads.has(rank)) return;
    this.#payloads.set(rank, isLent && this.#takesLent ? payload : this.#copyOf(payload));
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

  /** Gives back the memory of a closed round that nobody reads any more. */
  release(): void {
    for (const payload of this.#copies) this.#memory.giveBack(payload);
  }

  #copyOf(payload: Uint8Array): Uint8Array {
    const copy = this.#memory.copyOf(payload);
    this.#copies.push(copy);
    return copy;
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
        if (result !== undefined) end(() => resolve(result));
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

interface Channel {
  readonly rounds: Map<number, Round>;
  /** Forgotten rounds whose payloads some worker may still be reading. */
  readonly leaving: Map<number, Round>;
  /** The round that each rank has asked for last. */
  readonly at: Map<number, number>;
  newest: number;
}

/** The rounds of all channels. Of each channel, the newest are kept. */
export class Rounds {
  readonly #channels = new Map<string, Channel>();
  readonly #memory = new PayloadMemory();

  /** Lent payloads may change once the next round has closed: whoever asks for an older one must not get it. */
  readonly #takesLent: boolean;

  constructor(readonly retained: number) {
    this.#takesLent = retained === 1;
  }

  /**
   * The round at a place, for a rank that asks for it, and has done with the other rounds of the channel.
   *
   * @throws LmdError `TRANSPORT_FAILURE` if the round is older than what is kept
   */
  at(place: RoundPlace, rank: number): Round {
    const channel = this.#channelOf(place.channel);
    const { rounds, leaving, at } = channel;
    const newest = Math.max(place.round, channel.newest);
    if (place.round <= newest - this.retained) throw forgotten(place);
    channel.newest = newest;
    at.set(rank, place.round);
    for (const [number, round] of rounds) {
      if (!round.closed || number > newest - this.retained) continue;
      rounds.delete(number);
      leaving.set(number, round);
    }
    for (const [number, round] of leaving) {
      if ([...round.readers].some((reader) => at.get(reader) === number)) continue;
      leaving.delete(number);
      round.release();
    }
    const known = rounds.get(place.round) ?? new Round(this.#memory, this.#takesLent);
    rounds.set(place.round, known);
    return known;
  }

  fail(error: Error): void {
    for (const { rounds } of this.#channels.values()) for (const round of rounds.values()) round.fail(error);
  }

  #channelOf(name: string): Channel {
    const known = this.#channels.get(name) ?? { rounds: new Map(), leaving: new Map(), at: new Map(), newest: 0 };
    this.#channels.set(name, known);
    return known;
  }
}
