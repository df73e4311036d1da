import type { PayloadMemory } from '../payload-memory.js';
import type { Contribution, GatheredRound } from '../transport.js';
import { checksumOf } from './checksum.js';
import { areEqual } from './equal-bytes.js';

/** A message of a round, in the order of the stream. */
export type RoundMessage =
  | { readonly kind: 'close' }
  | {
      readonly kind: 'part';
      readonly rank: number;
      /** Of one attempt to contribute: a worker that resumes sends its contribution again. */
      readonly attempt: string;
      readonly part: number;
      readonly parts: number;
      /** Bytes of the whole contribution, and where this part begins. */
      readonly length: number;
      readonly from: number;
      readonly hash: string;
      readonly bytes: Uint8Array;
    };

/** A contribution whose parts arrive, each written to its place, so that no contribution is twice in memory. */
interface Attempt {
  readonly payload: Uint8Array;
  readonly missing: Set<number>;
}

/** A contribution whose bytes are not those of its hash. */
export class DamagedContribution extends Error {
  readonly id: string;

  constructor(
    readonly rank: number,
    attempt: string,
  ) {
    super(`The contribution of rank ${rank} has arrived damaged.`);
    this.id = `${rank} ${attempt}`;
  }
}

/** What the worker that reads has contributed, and by which attempts. */
export interface OwnContribution {
  readonly contribution: Contribution;
  readonly attempts: ReadonlySet<string>;
  /** Whether its messages are read too; otherwise it counts from the beginning. */
  readonly isRead: boolean;
}

/**
 * Counts the messages of a round in the order of the stream, so that all who read it get one result: it closes with the
 * last part of the last contribution, or with the first message `close` after a quorum.
 */
export class Tally {
  result: GatheredRound | undefined;
  readonly payloads = new Map<number, Uint8Array>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #workers: number;
  readonly #quorum: number;

  /** Memory of the payloads of others, which belongs to the reader of the result. */
  readonly taken: Uint8Array[] = [];
  readonly #own: OwnContribution;
  readonly #memory: PayloadMemory;
  readonly #ignored: ReadonlySet<string>;

  readonly #counted: (rank: number, attempt: string) => void;

  /**
   * @param ignored attempts that are stored damaged, `<rank> <attempt>`.
   * @param counted called with each contribution of others that counts.
   */
  constructor(
    own: OwnContribution,
    ignored: ReadonlySet<string>,
    memory: PayloadMemory,
    counted: (rank: number, attempt: string) => void,
  ) {
    const { rank, workers, quorum = workers } = own.contribution;
    this.#own = own;
    this.#memory = memory;
    this.#ignored = ignored;
    this.#workers = workers;
    this.#quorum = quorum;
    this.#counted = counted;
    if (!own.isRead) this.payloads.set(rank, this.#ownPayload());
  }

  get hasQuorum(): boolean {
    return this.payloads.size >= this.#quorum;
  }

  /** @throws DamagedContribution */
  add(message: RoundMessage): void {
    if (this.result !== undefined) return;
    if (message.kind === 'close') {
      if (this.hasQuorum) this.#close();
      return;
    }
    const { rank, attempt, part, parts, length, from, hash, bytes } = message;
    const id = `${rank} ${attempt}`;
    if (this.payloads.has(rank) || rank >= this.#workers || this.#ignored.has(id)) return;
    const isOwn = this.#own.attempts.has(attempt);
    const { payload, missing } = this.#attempts.get(id) ?? (isOwn ? this.#begunOwn(parts) : this.#begun(length, parts));
    this.#attempts.set(id, { payload, missing });
    // Parts of one attempt agree on the whole, unless one has arrived damaged.
    if (from + bytes.length > payload.length) throw new DamagedContribution(rank, attempt);
    // The worker's own bytes are there. Those that are stored are what the others get, so they are compared.
    if (!isOwn) payload.set(bytes, from);
    else if (!areEqual(payload.subarray(from, from + bytes.length), bytes))
      throw new DamagedContribution(rank, attempt);
    missing.delete(part);
    if (missing.size > 0) return;
    if (!isOwn && checksumOf(payload) !== hash) throw new DamagedContribution(rank, attempt);
    this.payloads.set(rank, payload);
    this.#attempts.delete(id);
    if (!isOwn) this.#counted(rank, attempt);
    if (this.payloads.size === this.#workers) this.#close();
  }

  #begun(length: number, parts: number): Attempt {
    const payload = this.#memory.take(length);
    this.taken.push(payload);
    return { payload, missing: numbersBelow(parts) };
  }

  #begunOwn(parts: number): Attempt {
    return { payload: this.#ownPayload(), missing: numbersBelow(parts) };
  }

  #ownPayload(): Uint8Array {
    const { payload, isLent = false } = this.#own.contribution;
    return isLent ? payload : payload.slice();
  }

  #close(): void {
    const payloads = new Map([...this.payloads].sort(([a], [b]) => a - b));
    this.result = { payloads, complete: payloads.size === this.#workers };
  }
}

const numbersBelow = (count: number) => new Set(Array.from({ length: count }, (_, index) => index));
