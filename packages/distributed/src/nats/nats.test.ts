import { lion } from '@lmd/core';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../../scripts/nats-server.mjs';
import { base, outcome, outcomes } from '../../test/small-run.js';
import { transportTests } from '../conformance/index.js';
import { averageGradients, type Transport, voteSigns } from '../index.js';
import { natsTransport } from './index.js';

const program = findNatsServer();
let url: string;
let stop: (() => Promise<void>) | undefined;
const open: Transport[] = [];

beforeAll(async () => {
  if (program !== undefined) ({ url, stop } = await startNatsServer(program));
});

afterAll(async () => {
  for (const transport of open) await transport.close();
  await stop?.();
});

async function connected(options: { readonly retainedRounds?: number; readonly prefix?: string } = {}) {
  const connection = await connect({ servers: url });
  const transport = await natsTransport({ connection, storage: 'memory', memberMs: 600, ...options });
  open.push(transport);
  return transport;
}

describe.skipIf(program === undefined)(`the NATS transport${program === undefined ? `: ${howToInstall}` : ''}`, () => {
  it.each(transportTests)('$name', ({ run }) => run(connected));

  it('forgets old rounds, and does not open them again for one who is late', async () => {
    const transport = await connected({ retainedRounds: 2, prefix: 'short' });
    const gather = (round: number, timeoutMs = 9e4) =>
      transport.gather({ channel: 'c', round }, { rank: 0, workers: 1, payload: Uint8Array.of(round), timeoutMs });
    for (let round = 0; round < 5; round++) await gather(round);
    // Nobody waits until it is removed.
    const isForgotten = () =>
      gather(2, 500).then(
        () => false,
        ({ code, value }) => code === 'TRANSPORT_FAILURE' && value === 2,
      );
    while (!(await isForgotten())) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await gather(3)).payloads.get(0)).toEqual(Uint8Array.of(3));
  });

  it('leaves no consumers on the server, which has room for a thousand', async () => {
    const [a, b] = [await connected({ prefix: 'lean' }), await connected({ prefix: 'lean' })];
    const both = (round: number) =>
      Promise.all(
        [a, b].map((transport, rank) =>
          transport.gather({ channel: 'c', round }, { rank, workers: 2, payload: Uint8Array.of(rank), timeoutMs: 9e4 }),
        ),
      );
    await a.store.put('some/key', Uint8Array.of(1));
    for (let round = 0; round < 20; round++) {
      await both(round);
      expect(await b.store.keys('some/')).toEqual(['some/key']);
    }
    const connection = await connect({ servers: url });
    const manager = await jetstreamManager(connection);
    const consumers = async (stream: string) => (await manager.streams.info(stream)).state.consumer_count;
    // Nobody waits until they are removed.
    while ((await consumers('lean-rounds')) > 2) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await consumers('OBJ_lean-store')).toBe(0);
    await connection.close();
  });

  it('keeps a member as long as it is there, and forgets one that has ended', async () => {
    const [a, b] = [await connected(), await connected()];
    await a.members.join('group', 'stays');
    await b.members.join('group', 'ends');
    await b.close();
    const ranks = async () => (await a.members.list('group')).map(({ rank }) => rank);
    while ((await ranks()).length > 1) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await ranks()).toEqual([0]);
  });

  it('does not count a contribution that is stored damaged, and goes on with the one that is not', async () => {
    const transports = [await connected(), await connected()];
    const raw = await connect({ servers: url });
    const head = headers();
    head.set(
      'Lmd-Part',
      JSON.stringify({ attempt: 'changed', part: 0, parts: 1, length: 1, from: 0, hash: '0123456789abcdef' }),
    );
    raw.publish('lmd.rounds.damaged.0.1', Uint8Array.of(7), { headers: head });
    await raw.flush();
    const rounds = transports.map((transport, rank) =>
      transport.gather(
        { channel: 'damaged', round: 0 },
        { rank, workers: 2, payload: Uint8Array.of(rank), timeoutMs: 60_000 },
      ),
    );
    for (const { payloads } of await Promise.all(rounds)) {
      expect([...payloads]).toEqual([
        [0, Uint8Array.of(0)],
        [1, Uint8Array.of(1)],
      ]);
    }
    await raw.close();
  });

  it('receives the contributions of others alone, and all of them where a quorum counts', async () => {
    const pairs = await Promise.all(
      [0, 1].map(async () => {
        const connection = await connect({ servers: url });
        const transport = await natsTransport({ connection, storage: 'memory', prefix: 'receipts' });
        open.push(transport);
        return { connection, transport };
      }),
    );
    const length = 3_000_000;
    const received = async (round: number, more: { readonly quorum?: number; readonly deadlineMs?: number }) => {
      const before = pairs.map(({ connection }) => connection.stats().inBytes);
      const all = await Promise.all(
        pairs.map(({ transport }, rank) => {
          const payload = new Uint8Array(length).fill(rank + 1);
          return transport.gather({ channel: 'c', round }, { rank, workers: 2, payload, timeoutMs: 9e4, ...more });
        }),
      );
      for (const { payloads } of all)
        expect([...payloads.values()].map((payload) => payload[length - 1])).toEqual([1, 2]);
      return pairs.map(({ connection }, rank) => Math.round((connection.stats().inBytes - before[rank]!) / length));
    };
    expect(await received(0, {})).toEqual([1, 1]);
    expect(await received(1, { quorum: 1, deadlineMs: 6e4 })).toEqual([2, 2]);
    // Both have contributed before, so the first contribution counts, which they read.
    expect((await received(0, {})).every((times) => times >= 2)).toBe(true);
  });

  it('exchanges more than the server lets wait for a connection', async () => {
    const lost: string[] = [];
    const transports = await Promise.all(
      [0, 1].map(async () => {
        const connection = await connect({ servers: url });
        (async () => {
          for await (const { type } of connection.status()) if (type === 'disconnect') lost.push(type);
        })();
        const transport = await natsTransport({ connection, prefix: 'large', storage: 'memory', retainedRounds: 1 });
        open.push(transport);
        return transport;
      }),
    );
    // A server's max_pending is 64 MB.
    const payloads = [0, 1].map((rank) => {
      const values = new Float32Array(20_000_000);
      for (let index = 0; index < values.length; index += 1000) values[index] = index + rank;
      return new Uint8Array(values.buffer);
    });
    const gather = (transport: Transport, rank: number) =>
      transport.gather({ channel: 'c', round: 0 }, { rank, workers: 2, payload: payloads[rank]!, timeoutMs: 9e4 });
    for (const round of await Promise.all(transports.map(gather))) {
      for (const [rank, payload] of round.payloads) expect(Buffer.compare(payload, payloads[rank]!)).toBe(0);
    }
    expect(lost).toEqual([]);
  }, 100_000);

  it('says that it is closed', async () => {
    const transport = await connected();
    await transport.close();
    const contribution = { rank: 0, workers: 2, payload: new Uint8Array(), timeoutMs: 1000 };
    await expect(transport.gather({ channel: 'c', round: 0 }, contribution)).rejects.toThrow('is closed');
  });

  it('trains several workers to the bits of one process', async () => {
    const transports = [await connected(), await connected()];
    const alone = await outcome({ ...base(), microBatchSize: 4 });
    const exchange = (rank: number) =>
      averageGradients({ transport: transports[rank]!, run: 'averages', rank, workers: 2, compareEvery: 2 });
    for (const { state } of await outcomes(2, exchange)) expect(state).toEqual(alone.state);
  });

  it('votes to the same weights on all workers, again when they resume', async () => {
    const transports = [await connected(), await connected()];
    const exchange = (rank: number) =>
      voteSigns({ transport: transports[rank]!, run: 'votes', rank, workers: 2, quorum: 1, deadlineMs: 60_000 });
    const options = () => ({ optimizer: lion({ learningRate: 0.02 }) });
    const [a, b] = await outcomes(2, exchange, options);
    expect(b!.weights).toEqual(a!.weights);
    const again = await outcomes(2, exchange, options);
    expect(again[0]!.state).toEqual(a!.state);
  });

  it('ends what waits when it is closed', async () => {
    const transport = await connected();
    const contribution = { rank: 0, workers: 2, payload: new Uint8Array(), timeoutMs: 60_000 };
    const waiting = transport.gather({ channel: 'closed', round: 0 }, contribution);
    const ended = expect(waiting).rejects.toMatchObject({ code: 'TRANSPORT_FAILURE' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await transport.close();
    await ended;
  });

  it('refuses a prefix that no subject can have', async () => {
    const connection = await connect({ servers: url });
    await expect(natsTransport({ connection, prefix: 'a.b' })).rejects.toMatchObject({ subject: 'prefix' });
    await connection.close();
  });
});
