import { connect as connectSocket, createServer } from 'node:net';
import { natsTransport } from '@lmd/distributed/nats';
import { connect } from '@nats-io/transport-node';
import { startNatsServer } from '../../../scripts/nats-server.mjs';
import { report } from '../lib/report.mjs';
import { votesOf, weights } from './counting.mjs';

const workers = 3;
const steps = 4;
/** Most bytes beside the votes, as a part of them. */
const most = 1.05;

/**
 * A proxy of a server that counts the bytes in both directions.
 *
 * @param {number} port
 */
async function countingProxy(port) {
  const bytes = { sent: 0, received: 0 };
  const server = createServer((client) => {
    const upstream = connectSocket(port, '127.0.0.1');
    client.on('data', ({ length }) => {
      bytes.sent += length;
    });
    upstream.on('data', ({ length }) => {
      bytes.received += length;
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => {});
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port: own } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { bytes, port: own, close: () => server.close() };
}

/** Bytes of a vote of one bit a weight on the wire. */
export async function measureWire({ quick, server }) {
  if (server === undefined) return;
  const { url, stop } = await startNatsServer(server);
  const proxies = [];
  const transports = [];
  try {
    for (let rank = 0; rank < workers; rank++) {
      const proxy = await countingProxy(Number(new URL(url).port));
      const connection = await connect({ servers: `127.0.0.1:${proxy.port}` });
      proxies.push(proxy);
      transports.push(await natsTransport({ connection, storage: 'memory', retainedRounds: 2 }));
    }
    const votes = Array.from({ length: workers }, (_, rank) => {
      const { buffer } = votesOf(rank, quick ? 2 ** 20 : weights);
      return new Uint8Array(buffer);
    });
    const gather = (round) =>
      Promise.all(
        transports.map((transport, rank) =>
          transport.gather({ channel: 'bench/votes', round }, { rank, workers, payload: votes[rank], timeoutMs: 6e5 }),
        ),
      );
    await gather(0);
    const before = proxies.map(({ bytes }) => ({ ...bytes }));
    for (let round = 1; round <= steps; round++) await gather(round);
    const perStep = (direction) =>
      Math.max(...proxies.map(({ bytes }, rank) => (bytes[direction] - before[rank][direction]) / steps));
    for (const { direction, count } of [
      { direction: 'sent', count: 1 },
      { direction: 'received', count: workers - 1 },
    ]) {
      const promised = count * votes[0].length;
      const value = perStep(direction);
      report(
        `bytes ${direction} by one of ${workers} workers for a step`,
        value / 1e6,
        'MB',
        `one bit a weight${count > 1 ? ' and other worker' : ''}`,
        promised / value,
        1 / most,
      );
    }
  } finally {
    for (const transport of transports) await transport.close();
    for (const { close } of proxies) close();
    await stop();
  }
}
