import { isLmdError, LmdError, messageOf } from '@lmd/core';
import type { JetStreamClient, JetStreamManager, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

/** What the parts of the transport share. */
export interface NatsContext {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly manager: JetStreamManager;
  /** First token of all subjects. */
  readonly prefix: string;
  readonly storage: StorageType;
  readonly replicas: number;
  readonly retainedRounds: number;
  readonly retainMs: number;
}

/** Runs a call to the server. Its errors become `TRANSPORT_FAILURE`. */
export async function call<T>({ connection }: NatsContext, what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (isLmdError(error)) throw error;
    throw new LmdError('TRANSPORT_FAILURE', `NATS at ${connection.getServer()}: ${what} failed: ${messageOf(error)}.`, {
      subject: what,
      remedy: 'Check that the server runs with JetStream (nats-server -js), has room, and permits it.',
      cause: error,
    });
  }
}
