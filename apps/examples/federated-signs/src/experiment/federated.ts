import {
  disposeState,
  type EagerOperations,
  LmdError,
  type NamedTensors,
  type OptionTable,
  option,
  type ResolvedOptions,
  sizeOf,
} from '@lmd/core';
import { inProcessTransport, type Transport } from '@lmd/distributed';
import { accuracyOf, type ExampleProgress, network, type Pictures, trainingStep } from '@lmd/example-shared';
import { permutation } from '@lmd/training';
import type { Method } from '../method.js';
import { keepSalient } from '../pruning.js';
import { type Meeting, serve, takePart } from '../rounds.js';
import { signMask } from '../sign-mask.js';
import { averaging } from './averaging.js';
import { dirichletClients } from './dirichlet.js';

export const federatedOptionTable = {
  clients: option.integer({ atLeast: 1, default: 10, describe: 'Number of clients; all take part in every round.' }),
  alpha: option.number({
    above: 0,
    default: 0.5,
    describe: 'Dirichlet parameter of the label shares; small is uneven.',
  }),
  rounds: option.integer({ atLeast: 1, default: 30, describe: 'Number of rounds.' }),
  batch: option.integer({ atLeast: 1, default: 32, describe: 'Number of pictures per local step.' }),
  images: option.integer({ atLeast: 1, default: 20000, describe: 'Number of training pictures of all clients.' }),
  width: option.integer({ atLeast: 1, default: 256, describe: 'Width of the two hidden layers.' }),
  keep: option.number({ above: 0, atMost: 1, default: 0.5, describe: 'Fraction of the weights that pruning keeps.' }),
  seed: option.integer({ atLeast: 0, default: 0, describe: 'Seed of the weights, the shares and the data order.' }),
  role: option.choice(['all', 'server', 'client'], {
    default: 'all',
    describe: 'What this process is: the server and all clients, or one of them, which meet over --nats.',
  }),
  client: option.integer({ atLeast: 0, default: 0, describe: 'Number of the client, from 0, for --role client.' }),
} as const satisfies OptionTable;

export type FederatedOptions = ResolvedOptions<typeof federatedOptionTable>;

export interface FederatedResult {
  readonly method: Method['name'];
  /** Test accuracy of the server's network before the first round and after each. */
  readonly accuracies: readonly number[];
  /** Bytes of the messages of one round: all clients to the server, and the server to all clients. */
  readonly upBytes: number;
  readonly downBytes: number;
}

export interface FederatedMeasurement {
  readonly results: readonly FederatedResult[];
  readonly parameters: number;
  readonly kept: number;
  /** Number of pictures of each client. */
  readonly clientSizes: readonly number[];
}

/** How the parts of a run meet. Processes of one run have the same options but `role` and `client`. */
export interface FederatedContext extends Pick<ExampleProgress, 'report'> {
  /** Default: within this process. */
  readonly transport?: Transport;
  /** Unique among the runs that the transport has. Default: federated-signs. */
  readonly run?: string;
  readonly signal?: AbortSignal;
}

/** Sufficient for the training of all clients in one process. */
const timeoutMs = 3_600_000;

/** No one asks for an older round of a channel of two. The messages of more would fill the memory. */
export const retainedRounds = 2;

/**
 * Trains the same network from the same initial weights on the same clients by both methods.
 *
 * @returns what the server measured; undefined of a client alone.
 */
export async function federated(
  ops: EagerOperations,
  data: { readonly train: Pictures; readonly test: Pictures },
  options: FederatedOptions,
  { report, transport = inProcessTransport({ retainedRounds }), run = 'federated-signs', signal }: FederatedContext,
): Promise<FederatedMeasurement | undefined> {
  const { rounds, width, seed, role } = options;
  checkClient(options);
  const classes = 1 + data.train.labels.reduce((largest, label) => Math.max(largest, label), 0);
  const net = network([data.train.pixels, width, width, classes]);
  const clients = dirichletClients(data.train.labels, options);
  const sizes = clients.map(({ length }) => length);
  const taken = role === 'all' ? [...clients.keys()] : role === 'client' ? [options.client] : [];
  const initial = net.initialize(ops, seed);
  try {
    const kept = await keepSalient(ops, net.shapes, initial, options.keep);
    const methods = [await signMask(ops, initial, kept), await averaging(ops, initial)];
    const results: FederatedResult[] = [];
    let done = 0;
    for (const method of methods) {
      const accuracies: number[] = [];
      let bytes = { up: 0, down: 0 };
      const measure = async (message: Uint8Array): Promise<void> => {
        const weights = ops.scope(() => method.effective(ops, method.receive(message)));
        accuracies.push(await accuracyOf(ops, net, weights, data.test).finally(() => ops.dispose(weights)));
      };
      await together(signal, (ended) => {
        const meeting: Meeting = { transport, run: `${run}/${method.name}`, timeoutMs, signal: ended };
        const server = async () => {
          await measure(method.first);
          await serve(meeting, method, { rounds, sizes }, async (message, sent) => {
            await measure(message);
            bytes = sent;
            if (role === 'server') await progress(method.name, accuracies.length - 1);
          });
        };
        const training = taken.map(
          (index) => () =>
            takePart(ops, meeting, method, { index, rounds }, async (start, round) => {
              await progress(`${method.name}, client ${index}`, round + 1, () => ops.dispose(start));
              return trainedBy(method, start, clients[index]!, `client ${index}`, round);
            }),
        );
        return role === 'client' ? training : [server, ...training];
      });
      results.push({ method: method.name, accuracies, upBytes: bytes.up, downBytes: bytes.down });
    }
    if (role === 'client') return undefined;
    return {
      results,
      parameters: Object.values(net.shapes).reduce((sum, shape) => sum + sizeOf(shape), 0),
      kept: Object.values(kept).reduce((sum, { length }) => sum + length, 0),
      clientSizes: sizes,
    };

    async function progress(what: string, round: number, onStop?: () => void): Promise<void> {
      done += 1;
      const total = methods.length * rounds * Math.max(1, taken.length);
      try {
        await report(done, total, `${what}, round ${round}`);
      } catch (error) {
        onStop?.();
        throw error;
      }
    }
  } finally {
    ops.dispose(initial);
  }

  /** What a client has trained from `start`, after one epoch on its pictures. */
  async function trainedBy(method: Method, start: NamedTensors, own: Int32Array, name: string, round: number) {
    let state = await method.optimizer.init(ops, start);
    ops.dispose(start);
    const order = permutation(own.length, seed, name, round);
    for (let from = 0; from < own.length; from += options.batch) {
      const chosen = Int32Array.from(order.subarray(from, from + options.batch), (i) => own[i]!);
      const key = { seed, step: state.step, sample: 0 };
      const batch = { pictures: data.train, indices: chosen, key };
      const next = trainingStep(ops, net, method.optimizer, state, batch, method.effective);
      disposeState(ops, state);
      state = next;
    }
    const trained = method.optimizer.weights(ops, state);
    disposeState(ops, state);
    return trained;
  }
}

/** Runs the parts of a method at the same time. If one fails, the others, which would wait for it, are ended. */
async function together(
  signal: AbortSignal | undefined,
  parts: (ended: AbortSignal) => readonly (() => Promise<void>)[],
): Promise<void> {
  const end = new AbortController();
  const ended = signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]);
  const running = parts(ended).map((part) => part());
  try {
    await Promise.all(running);
  } catch (error) {
    end.abort();
    await Promise.allSettled(running);
    throw error;
  }
}

function checkClient({ role, client, clients }: FederatedOptions): void {
  if (role !== 'client' || client < clients) return;
  throw new LmdError('INVALID_ARGUMENT', `federated-signs: client is ${client}, but clients is ${clients}.`, {
    subject: 'client',
    value: client,
    remedy: `Use a number from 0 to ${clients - 1}.`,
  });
}
