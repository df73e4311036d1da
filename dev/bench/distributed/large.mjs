import { natsTransport } from '@lmd/distributed/nats';
import { connect } from '@nats-io/transport-node';
import { startNatsServer } from '../../../scripts/nats-server.mjs';
import { report } from '../lib/report.mjs';

const workers = 2;

/** One exchange of f32 vectors of the size of GPT-2 124M between two workers of one process. */
export async function measureLarge({ quick, server }) {
  if (server === undefined) return;
  const bytes = quick ? 8e6 : 500e6;
  const { url, stop } = await startNatsServer(server);
  const transports = [];
  try {
    for (let rank = 0; rank < workers; rank++) {
      transports.push(await natsTransport({ connection: await connect({ servers: url }), retainedRounds: 1 }));
    }
    const payload = new Uint8Array(new Float32Array(bytes / 4).fill(1.5).buffer);
    const began = performance.now();
    await Promise.all(
      transports.map((transport, rank) =>
        transport.gather({ channel: 'bench/large', round: 0 }, { rank, workers, payload, timeoutMs: 6e5 }),
      ),
    );
    const seconds = (performance.now() - began) / 1000;
    report(`one exchange of ${bytes / 1e6} MB between ${workers} workers over NATS`, seconds, 's');
  } finally {
    for (const transport of transports) await transport.close();
    await stop();
  }
}
