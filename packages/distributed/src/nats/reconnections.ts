import { errors, type NatsConnection } from '@nats-io/nats-core';

/**
 * Tells who waits for an answer that the connection was made again. What was on its way in either direction is then
 * lost, and a consumer of JetStream does not deliver again what the server counts as delivered.
 */
export class Reconnections {
  readonly #listeners = new Set<() => void>();

  constructor(connection: NatsConnection) {
    this.#watch(connection);
  }

  /** Calls the listener after each reconnection. Returns a function that ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The result of a request that is safe to repeat; a `ConnectionError` once the connection was made again. */
  async orLost<T>(request: Promise<T>): Promise<T> {
    let end = () => {};
    const lost = new Promise<never>((_, reject) => {
      end = this.subscribe(() => reject(new errors.ConnectionError('the connection was made again')));
    });
    return Promise.race([request, lost]).finally(end);
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type !== 'reconnect') continue;
      for (const listener of [...this.#listeners]) listener();
    }
  }
}
