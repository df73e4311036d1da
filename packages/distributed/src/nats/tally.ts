import { fingerprintOf } from '@lmd/training';
import { sharedBytes } from '../shared-bytes.js';
import type { Contribution, GatheredRound } from '../transport.js';

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

  readonly #ignored: ReadonlySet<string>;

  /** @param ignored attempts that are stored damaged, `<rank> <attempt>`. */
  constructor({ workers, quorum = workers }: Contribution, ignored: ReadonlySet<string>) {
    this.#ignored = ignored;
    this.#workers = workers;
    this.#quorum = quorum;
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
    const { payload, missing } = this.#attempts.get(id) ?? begun(length, parts);
    this.#attempts.set(id, { payload, missing });
    // Parts of one attempt agree on the whole, unless one has arrived damaged.
    if (from + bytes.length > payload.length) throw new DamagedContribution(rank, attempt);
    payload.set(bytes, from);
    missing.delete(part);
    if (missing.size > 0) return;
    if (fingerprintOf([payload]) !== hash) throw new DamagedContribution(rank, attempt);
    this.payloads.set(rank, payload);
    this.#attempts.delete(id);
    if (this.payloads.size === this.#workers) this.#close();
  }

  #close(): void {
    const payloads = new Map([...this.payloads].sort(([a], [b]) => a - b));
    this.result = { payloads, complete: payloads.size === this.#workers };
  }
}

function begun(length: number, parts: number): Attempt {
  return { payload: sharedBytes(length), missing: new Set(Array.from({ length: parts }, (_, part) => part)) };
}
