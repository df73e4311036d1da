import { LmdError, messageOf, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { transportMarker } from '../marker.js';
import { retentionOptionTable } from '../retention.js';
import type { Transport } from '../transport.js';
import { call, type NatsContext } from './context.js';
import { natsMembers } from './members.js';
import { natsQueue } from './queue.js';
import { natsRounds } from './rounds.js';
import { natsStore } from './store.js';
import { natsTopics } from './topics.js';

/** The options of `natsTransport`, declared once. */
export const natsTransportOptionTable = {
  /**
   * Connection to a server with JetStream, from `connect` of @nats-io/transport-node, with TLS and credentials as the
   * server needs them. The transport closes it. An object; required.
   */
  connection: option.object<NatsConnection>({
    required: true,
    describe:
      'Connection to a server with JetStream, from `connect` of @nats-io/transport-node, with TLS and credentials as ' +
      'the server needs them. The transport closes it.',
  }),
  /** First token of all subjects and names of streams: letters, digits, `-` and `_`. Default lmd. */
  prefix: option.text({
    default: 'lmd',
    describe: 'First token of all subjects and names of streams: letters, digits, `-` and `_`.',
  }),
  /** Where the server keeps messages. `file` or `memory`; default `file`. */
  storage: option.choice(['file', 'memory'], { default: 'file', describe: 'Where the server keeps messages.' }),
  /** Number of servers of a cluster that keep each. A whole number, at least 1; default 1. */
  replicas: option.integer({ atLeast: 1, default: 1, describe: 'Number of servers of a cluster that keep each.' }),
  ...retentionOptionTable,
  /** Time in milliseconds after which rounds are deleted in any case. Above 0; default 86400000. */
  retainMs: option.number({
    above: 0,
    default: 86_400_000,
    describe: 'Time in milliseconds after which rounds are deleted in any case.',
  }),
  /**
   * Time in milliseconds after which a member that has ended without leaving is forgotten. At least 300; default 30000.
   */
  memberMs: option.number({
    atLeast: 300,
    default: 30_000,
    describe: 'Time in milliseconds after which a member that has ended without leaving is forgotten.',
  }),
  /**
   * Time in milliseconds for which a call is repeated while the server cannot be reached, as when it restarts. The
   * connection needs `maxReconnectAttempts: -1`, or as many as that takes. At least 0; default 60000.
   */
  patienceMs: option.number({
    atLeast: 0,
    default: 60_000,
    describe:
      'Time in milliseconds for which a call is repeated while the server cannot be reached, as when it restarts. The ' +
      'connection needs `maxReconnectAttempts: -1`, or as many as that takes.',
  }),
} as const satisfies OptionTable;

export interface NatsTransportOptions extends OptionsOf<typeof natsTransportOptionTable> {}

/**
 * A transport over a NATS server with JetStream, for workers on any number of machines:
 *
 *     const connection = await connect({ servers: 'nats://server:4222' });
 *     const transport = await natsTransport({ connection });
 *
 * Streams and buckets are made where they are missing; options must be the same on all workers.
 *
 * @throws LmdError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `TRANSPORT_FAILURE` if the server has no JetStream or refuses
 */
export async function natsTransport(options: NatsTransportOptions): Promise<Transport> {
  const resolved = resolveOptions('natsTransport', natsTransportOptionTable, options);
  const { connection, prefix, storage, replicas, retainMs, memberMs, patienceMs } = resolved;
  if (!/^[\w-]+$/.test(prefix)) {
    throw new LmdError('INVALID_ARGUMENT', `natsTransport: prefix is ${JSON.stringify(prefix)}.`, {
      subject: 'prefix',
      value: prefix,
      remedy: 'Use letters, digits, "-" and "_".',
    });
  }
  const context: NatsContext = {
    connection,
    js: jetstream(connection),
    manager: await managerOf(connection),
    prefix,
    storage: storage === 'file' ? StorageType.File : StorageType.Memory,
    replicas,
    retainedRounds: resolved.retainedRounds,
    retainMs,
    patienceMs,
  };
  const gather = await natsRounds(context);
  const store = await natsStore(context);
  const { members, stop } = await natsMembers(context, memberMs);
  return {
    ...transportMarker,
    name: `NATS at ${connection.getServer()}`,
    gather,
    queue: (name, queueOptions) => natsQueue(context, name, queueOptions),
    store,
    topics: natsTopics(context),
    members,
    async close() {
      stop();
      if (!connection.isClosed()) await call(context, 'closing', () => connection.close());
    },
  };
}

async function managerOf(connection: NatsConnection) {
  try {
    return await jetstreamManager(connection);
  } catch (error) {
    throw new LmdError(
      'TRANSPORT_FAILURE',
      `NATS at ${connection.getServer()} has no JetStream: ${messageOf(error)}.`,
      {
        subject: 'connection',
        remedy: 'Start the server with JetStream: nats-server -js.',
        cause: error,
      },
    );
  }
}
