import { hostname } from 'node:os';
import { LmdError, messageOf } from '@lmd/core';
import type { Transport } from '@lmd/distributed';
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { UsageError } from '../errors.js';

/** Where a server is, and how to log in to it. */
export interface Address {
  readonly servers: string[];
  readonly isTls: boolean;
  readonly login: { readonly token?: string; readonly user?: string; readonly pass?: string };
}

export interface ConnectOptions {
  /** Number of newest rounds that the server keeps of each channel. */
  readonly retainedRounds?: number;
  /** First token of all subjects. */
  readonly prefix?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Connects to a NATS server with JetStream: `nats://host:4222`, `tls://host:4222`, several servers of a cluster
 * separated by commas. Credentials are in the address (`nats://token@host`, `nats://user:password@host`) or in
 * `NATS_TOKEN`, `NATS_USER` and `NATS_PASSWORD`, `NATS_CREDS` (a file); certificates in `NATS_CA`, `NATS_CERT` and
 * `NATS_KEY` (files). It reconnects for as long as it takes.
 *
 * @throws UsageError for an address that is none; LmdError `TRANSPORT_FAILURE` if the server does not answer, refuses
 *   the credentials, or has no JetStream.
 */
export async function connectTransport(url: string, options: ConnectOptions = {}): Promise<Transport> {
  const { environment = process.env, ...transportOptions } = options;
  const { servers, isTls, login } = parseAddress(url, environment);
  const { connect, credsAuthenticator } = await import('@nats-io/transport-node');
  const { natsTransport } = await import('@lmd/distributed/nats');
  const { NATS_CREDS, NATS_CA, NATS_CERT, NATS_KEY } = environment;
  try {
    const given: NodeConnectionOptions = {
      servers,
      name: `lmd ${hostname()}`,
      ...login,
      ...(NATS_CREDS === undefined ? {} : { authenticator: credsAuthenticator(await readBytes(NATS_CREDS)) }),
      ...(isTls || NATS_CA !== undefined
        ? {
            tls: {
              ...(NATS_CA === undefined ? {} : { caFile: NATS_CA }),
              ...(NATS_CERT === undefined ? {} : { certFile: NATS_CERT }),
              ...(NATS_KEY === undefined ? {} : { keyFile: NATS_KEY }),
            },
          }
        : {}),
    };
    await checkAnswer(await connect({ ...given, reconnect: false }));
    const connection = await connect({ ...given, ...patient });
    return await natsTransport({ connection, ...transportOptions });
  } catch (error) {
    throw connectionError(servers.join(','), error);
  }
}

/** A network that loses everything says nothing: two pings without an answer, and the client connects again. */
const patient = { maxReconnectAttempts: -1, reconnectTimeWait: 500, pingInterval: 10_000, maxPingOut: 2 };

/**
 * Waits for the answer of a server, and closes the connection. One that refuses a client's certificate does so only
 * when the connection is made, and a client that reconnects would try again for ever.
 */
async function checkAnswer(connection: NatsConnection): Promise<void> {
  const ended = async () => {
    throw (await connection.closed()) ?? new Error('the server has ended the connection');
  };
  await Promise.race([connection.flush(), ended()]);
  await connection.close();
}

async function readBytes(path: string): Promise<Uint8Array> {
  const { readFile } = await import('node:fs/promises');
  return readFile(path);
}

/** Whether a word of the command line is the address of a server. */
export const isAddress = (word: string): boolean => /^(nats|tls):\/\//.test(word);

/** The address of a server as a command may show it: without credentials. */
export const withoutCredentials = (address: string): string =>
  address
    .split(',')
    .map((one) => {
      const { protocol, host } = new URL(one);
      return `${protocol}//${host}`;
    })
    .join(',');

/**
 * Reads the address of a server, with the credentials of the environment.
 *
 * @throws UsageError for an address that is none.
 */
export function parseAddress(text: string, { NATS_TOKEN, NATS_USER, NATS_PASSWORD }: NodeJS.ProcessEnv): Address {
  const parsed = text.split(',').map((one) => (isAddress(one) && URL.canParse(one) ? new URL(one) : undefined));
  const [first] = parsed;
  if (first === undefined || parsed.some((one) => one === undefined || one.hostname === '')) {
    throw new UsageError('INVALID_ARGUMENT', `${text} is not the address of a server.`, {
      subject: 'server',
      value: text,
      remedy: 'Use nats://host:4222, or tls://host:4222.',
    });
  }
  const user = decoded(first.username) || NATS_USER;
  const pass = decoded(first.password) || NATS_PASSWORD;
  const token = NATS_TOKEN ?? (pass === undefined ? user : undefined);
  return {
    servers: parsed.map((one) => `${one!.hostname}:${one!.port || '4222'}`),
    isTls: parsed.some((one) => one!.protocol === 'tls:'),
    login: token !== undefined ? { token } : user !== undefined && pass !== undefined ? { user, pass } : {},
  };
}

/** Credentials as they are given in an address. They are secret, so the error does not show them. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError(
      'INVALID_ARGUMENT',
      'The credentials of the address have a % that is no code of a character.',
      {
        subject: 'server',
        remedy: 'Write %25 for %, or use NATS_TOKEN, or NATS_USER and NATS_PASSWORD.',
      },
    );
  }
}

/** Names the server without the credentials of its address. */
function connectionError(server: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  // Another copy of the client's library has another class.
  const isRefused = cause.name === 'AuthorizationError' || cause.name === 'UserAuthenticationExpiredError';
  if (!isRefused && cause instanceof LmdError) return cause;
  return new LmdError(
    'TRANSPORT_FAILURE',
    isRefused
      ? `NATS at ${server} refuses the credentials: ${messageOf(cause)}.`
      : `NATS at ${server} cannot be reached: ${messageOf(cause)}.`,
    {
      subject: server,
      remedy: isRefused
        ? 'Set NATS_TOKEN, NATS_USER and NATS_PASSWORD, or NATS_CREDS as the server requires.'
        : 'Check the address, the certificates (NATS_CA, NATS_CERT, NATS_KEY) and that the server runs: nats-server -js.',
      cause,
    },
  );
}
