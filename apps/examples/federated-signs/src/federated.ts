import { disposeState, type EagerOperations, type OptionTable, option, type ResolvedOptions, sizeOf } from '@lmd/core';
import { accuracyOf, type ExampleProgress, network, type Pictures, trainingStep } from '@lmd/example-shared';
import { permutation } from '@lmd/training';
import { dirichletClients } from './dirichlet.js';
import { averaging, type Message, type Method, signMask } from './methods.js';
import { keepSalient } from './pruning.js';

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

/** Trains the same network from the same initial weights on the same clients by both methods. */
export async function federated(
  ops: EagerOperations,
  data: { readonly train: Pictures; readonly test: Pictures },
  options: FederatedOptions,
  { report }: Pick<ExampleProgress, 'report'>,
): Promise<FederatedMeasurement> {
  const { rounds, width, seed } = options;
  const classes = 1 + data.train.labels.reduce((largest, label) => Math.max(largest, label), 0);
  const net = network([data.train.pixels, width, width, classes]);
  const clients = dirichletClients(data.train.labels, options);
  const initial = net.initialize(ops, seed);
  try {
    const kept = await keepSalient(ops, net, initial, options.keep);
    const methods = [await signMask(ops, initial, kept), await averaging(ops, initial)];
    const results: FederatedResult[] = [];
    for (const [index, method] of methods.entries()) {
      let message = method.first;
      const accuracies = [await accuracyAt(message)];
      const memories: (Float32Array | undefined)[] = clients.map(() => undefined);
      let upBytes = 0;
      for (let round = 0; round < rounds; round += 1) {
        const messages: Message[] = [];
        for (const [client, indices] of clients.entries()) {
          const done = (index * rounds + round) * clients.length + client;
          await report(done, methods.length * rounds * clients.length, `${method.name}, round ${round + 1}`);
          messages.push({ bytes: await trainedBy(client, indices, message, round), weight: indices.length });
        }
        upBytes = messages.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
        message = method.combine(messages, message);
        accuracies.push(await accuracyAt(message));
      }
      const downBytes = clients.length * message.byteLength;
      results.push({ method: method.name, accuracies, upBytes, downBytes });

      async function accuracyAt(message: Uint8Array): Promise<number> {
        const weights = ops.scope(() => method.effective(ops, method.receive(message)));
        return accuracyOf(ops, net, weights, data.test).finally(() => ops.dispose(weights));
      }

      /** A client's message after one epoch on its pictures. */
      async function trainedBy(client: number, own: Int32Array, message: Uint8Array, round: number) {
        const start = method.receive(message, memories[client]);
        let state = await method.optimizer.init(ops, start);
        ops.dispose(start);
        const order = permutation(own.length, seed, `client ${client}`, round);
        for (let from = 0; from < own.length; from += options.batch) {
          const chosen = Int32Array.from(order.subarray(from, from + options.batch), (i) => own[i]!);
          const key = { seed, step: state.step, sample: 0 };
          const batch = { pictures: data.train, indices: chosen, key };
          const next = trainingStep(ops, net, method.optimizer, state, batch, method.effective);
          disposeState(ops, state);
          state = next;
        }
        const trained = method.optimizer.weights(ops, state);
        const { bytes, memory } = await method.send(trained);
        memories[client] = memory;
        ops.dispose(trained);
        disposeState(ops, state);
        return bytes;
      }
    }
    return {
      results,
      parameters: Object.values(net.shapes).reduce((sum, shape) => sum + sizeOf(shape), 0),
      kept: Object.values(kept).reduce((sum, { length }) => sum + length, 0),
      clientSizes: clients.map(({ length }) => length),
    };
  } finally {
    ops.dispose(initial);
  }
}
