import type { ContractMarker } from '@lmd/core';

/** Version of this contract. It changes only if a correct transport would become incorrect. */
export const transportSpecVersion = 'lmd-transport-v1';

/**
 * What workers need of a network: rounds, queues, stored files, topics, and who is there. A plain object;
 * `inProcessTransport` and `natsTransport` make one, and `transportTests` of `@lmd/distributed/conformance` tests any
 * other.
 *
 * Payloads are bytes of any length, copied on the way in unless they are lent. Those of a round may be shared by all
 * who get it: do not change them. They are valid until the caller asks for another round of the channel, and its memory
 * may then be used again. Errors of the network are `LmdError`s with the code `TRANSPORT_FAILURE`, also for a payload
 * that arrives damaged.
 */
export interface Transport extends ContractMarker<typeof transportSpecVersion> {
  readonly name: string;
  /**
   * Contributes to a round of a channel and waits until the round has closed. Every caller of a round gets the same
   * contributions, whenever it asks: a round closes once, in one order of events for all.
   *
   * - A round closes when all workers have contributed, or when a caller's `deadlineMs` has passed and `quorum` workers
   *   have. A contribution that arrives later is not part of it, and its caller gets the closed round.
   * - The first contribution of a rank counts; a repetition is ignored. So a worker that resumes repeats its rounds
   *   with the results that they had.
   * - A round may be forgotten once newer ones of its channel have closed (`retainedRounds`, or limits of a server).
   *
   * @throws LmdError `WORKER_MISSING`, naming ranks, if the round has not closed after `timeoutMs`; `INTERRUPTED` if
   *   `signal` aborts it; `TRANSPORT_FAILURE` for a round that is forgotten
   */
  gather(place: RoundPlace, contribution: Contribution): Promise<GatheredRound>;
  /** The queue of a name, the same for all who ask for it. */
  queue(name: string, options?: QueueOptions): Queue;
  readonly store: Store;
  readonly topics: Topics;
  readonly members: Members;
  /** Ends the connection. Pending calls fail with `TRANSPORT_FAILURE`. */
  close(): Promise<void>;
}

export interface RoundPlace {
  /** Letters, digits, `-`, `_` and `/`. Unique for a run and a purpose. */
  readonly channel: string;
  /** A whole number, at least 0, that grows with each round of the channel. */
  readonly round: number;
}

/** Workers of one round must agree on all but `rank`, `payload` and `signal`. */
export interface Contribution {
  readonly rank: number;
  readonly workers: number;
  readonly payload: Uint8Array;
  /**
   * Whether the payload stays as it is until the caller has got the next round of the channel, which needs all workers.
   * A transport that keeps no older round may pass it on without a copy. Default: false.
   */
  readonly isLent?: boolean;
  /** Smallest number of contributions with which a deadline may close the round. Default: `workers`. */
  readonly quorum?: number;
  /** Time in milliseconds from the call after which a quorum closes the round. Default: none. */
  readonly deadlineMs?: number;
  /** Time in milliseconds from the call after which the call fails. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface GatheredRound {
  /** Contributions by rank, in ascending order of the ranks. */
  readonly payloads: ReadonlyMap<number, Uint8Array>;
  /** Whether all workers have contributed. */
  readonly complete: boolean;
}

export interface QueueOptions {
  /** Time in milliseconds for which a taken item is not delivered to others. Default: 30 000. */
  readonly leaseMs?: number;
}

/** Priorities of a queue's items, highest first. */
export const queuePriorities = ['high', 'normal', 'low'] as const;

export type QueuePriority = (typeof queuePriorities)[number];

/**
 * A work queue. Delivers at least once: an item whose taker neither finishes nor extends it within the lease is
 * delivered again, so the work must be safe to repeat. Items of a higher priority are delivered first. Within a
 * priority, first deliveries are in the order of `add`; repeated ones are in any order.
 */
export interface Queue {
  /**
   * Adds an item, unless one of the same id was added before, also if it is done. Returns whether it was added. All who
   * add an id must give it the same priority. Default: `normal`.
   */
  add(id: string, payload: Uint8Array, options?: { readonly priority?: QueuePriority }): Promise<boolean>;
  /**
   * Forgets an id, whether it waits, is taken or is done; then it may be added again. A taker that has the item is not
   * told. Without effect if there is none.
   */
  remove(id: string): Promise<void>;
  /** The next item, or undefined if there was none for `timeoutMs`. At most one taker at a time has an item's lease. */
  take(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<QueueItem | undefined>;
}

export interface QueueItem {
  readonly id: string;
  readonly payload: Uint8Array;
  /** 1 for the first delivery. */
  readonly delivery: number;
  /** Removes the item. If its lease has ended, another taker may have it, and it may be delivered once more. */
  done(): Promise<void>;
  /** Returns the item to the queue at once. */
  release(): Promise<void>;
  /** Begins the lease again. */
  extend(): Promise<void>;
}

/** Files by key, such as checkpoints. A reader sees a whole version, the newest that was put before it asked. */
export interface Store {
  put(key: string, value: Uint8Array): Promise<void>;
  /** Undefined if there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Without effect if there is none. */
  delete(key: string): Promise<void>;
  /** Keys that begin with `prefix`, sorted. */
  keys(prefix?: string): Promise<string[]>;
}

/**
 * Messages to all who listen at the time, such as progress. Delivered at most once: what nobody listens to, or what is
 * sent while the network is down, is lost.
 */
export interface Topics {
  publish(topic: string, payload: Uint8Array): Promise<void>;
  /** Calls the listener with each message from now on. Returns a function that ends it. */
  subscribe(topic: string, listener: (payload: Uint8Array) => void): Promise<() => void>;
}

/**
 * Who takes part in a group, such as a run. A member that does not leave, because its process ended, is forgotten after
 * some time (of the adapter). Ranks are unique among the members of a group at any time.
 */
export interface Members {
  /** Joins a group with the lowest rank that is free. */
  join(group: string, name: string): Promise<Membership>;
  /** In ascending order of the ranks. */
  list(group: string): Promise<Member[]>;
}

export interface Member {
  readonly name: string;
  readonly rank: number;
}

export interface Membership extends Member {
  leave(): Promise<void>;
}
