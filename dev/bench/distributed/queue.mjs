import { natsTransport } from '@lmd/distributed/nats';
import { connect } from '@nats-io/transport-node';
import { startNatsServer } from '../../../scripts/nats-server.mjs';
import { report } from '../lib/report.mjs';

const workers = 3;
const mostSeconds = 20;

/** Trials without work, from a study to workers and back, with the calls that `lmd search --on` makes. */
export async function measureQueue({ quick, server }) {
  if (server === undefined) return;
  const count = quick ? 10 : 1000;
  const { url, stop } = await startNatsServer(server);
  const open = [];
  const opened = async () => {
    const transport = await natsTransport({ connection: await connect({ servers: url }) });
    open.push(transport);
    return transport;
  };
  try {
    const payload = new Uint8Array(1000);
    const stopping = new AbortController();
    const work = async () => {
      const transport = await opened();
      const [trials, results] = [transport.queue('trials'), transport.queue('results')];
      while (!stopping.signal.aborted) {
        const item = await trials.take({ timeoutMs: 2000, signal: stopping.signal });
        if (item === undefined) continue;
        await results.add(item.id, payload);
        await item.done();
      }
    };
    const study = await opened();
    const [trials, results] = [study.queue('trials'), study.queue('results')];
    const running = Array.from({ length: workers }, work);
    const began = performance.now();
    const added = Promise.all(Array.from({ length: count }, (_, index) => trials.add(`trial-${index}`, payload)));
    const received = new Set();
    while (received.size < count) {
      const item = await results.take({ timeoutMs: 60_000 });
      received.add(item.id);
      await trials.remove(item.id);
      await item.done();
      await results.remove(item.id);
    }
    await added;
    const seconds = (performance.now() - began) / 1000;
    stopping.abort();
    await Promise.all(running);
    report(
      `${count} trials without work, ${workers} workers`,
      seconds,
      's',
      `${mostSeconds} s`,
      mostSeconds / seconds,
      1,
    );
  } finally {
    for (const transport of open) await transport.close();
    await stop();
  }
}
