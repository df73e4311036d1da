import type { NatsConnection } from '@nats-io/nats-core';
import type { RoundPlace } from '../transport.js';

/**
 * Receipts: a worker that has counted the contribution of another tells it the attempt, by a message that the server
 * does not store. So the server has stored the bytes that were sent, and their sender need not read them back, which
 * with two workers is half of what it would read. Without a receipt, or with one of another attempt, it reads them.
 */
export class Receipts {
  readonly #connection: NatsConnection;
  readonly #subject: (place: RoundPlace, rank: number) => string;

  constructor(connection: NatsConnection, subject: (place: RoundPlace) => string) {
    this.#connection = connection;
    this.#subject = (place, rank) => `${subject(place)}.${place.round}.${rank}`;
  }

  /** @param attempt empty for a contribution that has arrived damaged. */
  send(place: RoundPlace, rank: number, attempt: string): void {
    // One that is lost costs its receiver time, and nothing else.
    if (!this.#connection.isClosed()) this.#connection.publish(this.#subject(place, rank), attempt);
  }

  /** The first receipt of a worker's contribution. To be called before it is sent. */
  receive(place: RoundPlace, rank: number): Receipt {
    let end = () => {};
    const attempt = new Promise<string>((resolve) => {
      const subscription = this.#connection.subscribe(this.#subject(place, rank), {
        callback(error, message) {
          if (error === null) resolve(message.string());
        },
      });
      end = () => subscription.unsubscribe();
    });
    return { attempt, end };
  }
}

export interface Receipt {
  readonly attempt: Promise<string>;
  end(): void;
}
