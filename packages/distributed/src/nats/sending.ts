import { nuid } from '@nats-io/nats-core';
import type { Contribution, RoundPlace } from '../transport.js';
import type { Receipt, Receipts } from './receipts.js';
import type { Wait } from './wait.js';

/** With more workers, a worker's own contribution is a small part of what it reads. */
const mostWithReceipts = 8;
/** Time in milliseconds that a worker that has the contributions of all others waits for a receipt of its own. */
const mostPatienceMs = 2000;

interface SendingOptions {
  readonly receipts: Receipts;
  /** Is failed by a contribution that cannot be sent. */
  readonly wait: Wait;
  /** Sends the contribution; returns false if it must be the worker's first of the round and is not. */
  publish(attempt: string, mustBeFirst: boolean): Promise<boolean>;
}

/**
 * What a worker sends to a round, from the beginning on, and whether it reads it back. It need not if nothing of its
 * rank was there before and another worker has counted it (`Receipts`).
 *
 * With a quorum it always does: then the order in the stream decides which contributions count, its own among them.
 */
export class Sending {
  /** Those of this worker's own, of which it has begun to send one again if the first was stored damaged. */
  readonly attempts = new Set<string>();
  readonly #place: RoundPlace;
  readonly #contribution: Contribution;
  readonly #options: SendingOptions;
  readonly #hasReceipts: boolean;
  readonly #receipt: Receipt | undefined;
  readonly #isStored: Promise<boolean>;
  #isRead: boolean;

  constructor(place: RoundPlace, contribution: Contribution, options: SendingOptions) {
    const { rank, workers, quorum = workers, signal } = contribution;
    this.#place = place;
    this.#contribution = contribution;
    this.#options = options;
    this.#hasReceipts = quorum === workers && workers > 1 && workers <= mostWithReceipts;
    this.#isRead = !this.#hasReceipts;
    this.#receipt = this.#hasReceipts ? options.receipts.receive(place, rank) : undefined;
    const sent = signal?.aborted === true ? undefined : this.send(this.#hasReceipts);
    const isReceived = this.#receipt?.attempt.then((attempt) => this.attempts.has(attempt));
    this.#isStored = Promise.all([sent, isReceived]).then((all) => all.every((one) => one === true));
    isReceived?.then((isOwn) => isOwn || this.#readBack());
    if (this.#hasReceipts) {
      sent?.then((isFirst) => {
        if (isFirst !== false) return;
        // The earlier contribution of this rank counts if it is whole; if it is not, this one does.
        this.#readBack();
        this.send();
      });
    }
  }

  /** Whether the worker's own messages are read too. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Whose messages are read; `*` is all of the round. */
  get readRanks(): readonly (number | '*')[] {
    const { rank, workers } = this.#contribution;
    if (this.#isRead) return ['*'];
    return Array.from({ length: workers }, (_, other) => other).filter((other) => other !== rank);
  }

  /** Returns undefined if it has failed, of which the wait is told. */
  async send(mustBeFirst = false): Promise<boolean | undefined> {
    const attempt = nuid.next();
    this.attempts.add(attempt);
    try {
      return await this.#options.publish(attempt, mustBeFirst);
    } catch (error) {
      this.#options.wait.fail(error);
      return undefined;
    }
  }

  /** Tells another worker that its contribution is counted here. */
  counted(rank: number, attempt: string): void {
    if (this.#hasReceipts) this.#options.receipts.send(this.#place, rank, attempt);
  }

  /** Tells another worker that its contribution has arrived damaged. */
  damaged(rank: number): void {
    if (rank !== this.#contribution.rank) this.counted(rank, '');
  }

  /** Whether all is stored as it was sent, to the worker's knowledge. If not, it is read from now on. */
  async isStored(): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), Math.min(mostPatienceMs, this.#contribution.timeoutMs / 4));
    });
    const isStored = await Promise.race([this.#isStored, late]).finally(() => clearTimeout(timer));
    if (!isStored) this.#isRead = true;
    return isStored;
  }

  end(): void {
    this.#receipt?.end();
  }

  #readBack(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    this.#options.wait.again();
  }
}
