import type { EagerOperations, NamedTensors } from '@lmd/core';
import type { Transport } from '@lmd/distributed';
import type { Method } from './method.js';

/** Where the server and the clients of one run meet. */
export interface Meeting {
  readonly transport: Transport;
  /** Unique for a run and a method: letters, digits, `-`, `_` and `/`. */
  readonly run: string;
  /** Longest time in milliseconds to wait for a message. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const [server, client] = [0, 1];
const nothing = new Uint8Array();

/**
 * One message between the server and a client, in a channel of the two alone: a round of two workers, of whom the other
 * contributes nothing. So no client receives what another sent, and the bytes are those of the messages.
 *
 * @returns the message of the other side.
 */
async function exchange(
  { transport, run, timeoutMs, signal }: Meeting,
  index: number,
  round: number,
  rank: number,
  payload: Uint8Array,
): Promise<Uint8Array> {
  const place = { channel: `${run}/client-${index}`, round };
  const { payloads } = await transport.gather(place, { rank, workers: 2, payload, timeoutMs, signal });
  return payloads.get(rank === server ? client : server)!;
}

/**
 * The server: in each round it sends its message to all clients, and combines theirs to the next.
 *
 * @param sizes numbers of pictures of the clients.
 * @param onRound awaited after each round, with the new message and the bytes of the messages of the round.
 */
export async function serve(
  meeting: Meeting,
  { first, combine }: Method,
  { rounds, sizes }: { readonly rounds: number; readonly sizes: readonly number[] },
  onRound: (message: Uint8Array, bytes: { readonly up: number; readonly down: number }) => Promise<void>,
): Promise<void> {
  let message = first;
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(sizes.map((_, index) => exchange(meeting, index, 2 * round, server, message)));
    const received = await Promise.all(
      sizes.map((weight, index) =>
        exchange(meeting, index, 2 * round + 1, server, nothing).then((bytes) => ({ bytes, weight })),
      ),
    );
    const up = received.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const down = sizes.length * message.byteLength;
    message = combine(received, message);
    await onRound(message, { up, down });
  }
}

/**
 * A client: in each round it trains from the server's message, and sends its own.
 *
 * @param train from these tensors, which it frees, to those that the optimizer has trained.
 */
export async function takePart(
  ops: EagerOperations,
  meeting: Meeting,
  { receive, send }: Method,
  { index, rounds }: { readonly index: number; readonly rounds: number },
  train: (start: NamedTensors, round: number) => Promise<NamedTensors>,
): Promise<void> {
  let memory: Float32Array | undefined;
  for (let round = 0; round < rounds; round += 1) {
    const message = await exchange(meeting, index, 2 * round, client, nothing);
    const trained = await train(receive(message, memory), round);
    const sent = await send(trained).finally(() => ops.dispose(trained));
    memory = sent.memory;
    await exchange(meeting, index, 2 * round + 1, client, sent.bytes);
  }
}
