import { isLmdError, LmdError, messageOf } from '@lmd/core';
import { JetStreamApiError, type JetStreamClient, type JetStreamManager, type StorageType } from '@nats-io/jetstream';
import { errors, type NatsConnection } from '@nats-io/nats-core';

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
  readonly patienceMs: number;
}

/** Milliseconds between two attempts. */
const pauseMs = 250;

/**
 * Runs a call to the server, again while the server cannot be reached, so the call must be safe to repeat. Other
 * errors, and those that last, become `TRANSPORT_FAILURE`.
 */
export async function call<T>(context: NatsContext, what: string, body: () => Promise<T>): Promise<T> {
  const { connection, patienceMs } = context;
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return await body();
    } catch (error) {
      if (isLmdError(error)) throw error;
      const mayPass = isOfServer(error) || isFull(error);
      if (!mayPass || connection.isClosed() || performance.now() >= end) throw failure(context, what, error);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Whether an error says that the server is not there for the moment. */
function isOfServer(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { cause } = error;
  return (
    error instanceof errors.TimeoutError ||
    error instanceof errors.NoRespondersError ||
    error instanceof errors.ConnectionError ||
    // What JetStream's client makes of no responders, and of a timeout.
    error.name === 'JetStreamNotEnabled' ||
    (cause !== undefined && isOfServer(cause))
  );
}

/**
 * Whether an error says that the server has no room for a message. Rounds that are forgotten meanwhile make room.
 */
function isFull(error: unknown): boolean {
  return error instanceof JetStreamApiError && fullCodes.has(error.code);
}

/** Codes of JetStream: insufficient resources, insufficient memory, insufficient storage, and a message not stored. */
const fullCodes: ReadonlySet<number> = new Set([10_023, 10_028, 10_047, 10_077]);

function failure({ connection }: NatsContext, what: string, cause: unknown): LmdError {
  if (isFull(cause)) {
    const message = `NATS at ${connection.getServer()} is full: ${what} is not stored: ${messageOf(cause)}.`;
    return new LmdError('TRANSPORT_FAILURE', message, {
      subject: what,
      remedy:
        'Give JetStream more room (max_file_store, max_memory_store), or lower retainedRounds. Then resume from the ' +
        'newest checkpoint.',
      cause,
    });
  }
  return new LmdError('TRANSPORT_FAILURE', `NATS at ${connection.getServer()}: ${what} failed: ${messageOf(cause)}.`, {
    subject: what,
    remedy: 'Check that the server runs with JetStream (nats-server -js), has room, and permits it.',
    cause,
  });
}
