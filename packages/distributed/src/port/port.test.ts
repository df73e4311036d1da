import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { transportTests } from '../conformance/index.js';
import { inProcessTransport, portTransport, serveTransport } from '../index.js';

const open: MessagePort[] = [];
afterAll(() => {
  for (const port of open) port.close();
});

describe('a transport through a port', () => {
  const transport = inProcessTransport();
  const connect = async () => {
    const { port1, port2 } = new MessageChannel();
    open.push(port1, port2);
    serveTransport(transport, port1);
    return portTransport(port2);
  };
  it.each(transportTests)('$name', ({ run }) => run(connect));

  it('ends what waits when either end is closed', async () => {
    const contribution = { rank: 0, workers: 2, payload: new Uint8Array(), timeoutMs: 60_000 };
    const own = await connect();
    const waiting = own.gather({ channel: 'closed', round: 0 }, contribution);
    await own.close();
    await expect(waiting).rejects.toMatchObject({ code: 'TRANSPORT_FAILURE' });
    await expect(own.store.get('key')).rejects.toThrow('is closed');
    const { port1, port2 } = new MessageChannel();
    open.push(port1, port2);
    const end = serveTransport(transport, port1);
    const ended = portTransport(port2).gather({ channel: 'ended', round: 0 }, contribution);
    // The request has arrived.
    await new Promise((resolve) => setTimeout(resolve, 50));
    end();
    await expect(ended).rejects.toMatchObject({ code: 'INTERRUPTED', value: 0 });
  });

  it('says which method the other end does not have', async () => {
    const { port1, port2 } = new MessageChannel();
    open.push(port1, port2);
    serveTransport(transport, port1);
    const answered = new Promise((resolve) => port2.once('message', resolve));
    port2.postMessage({ kind: 'call', id: 1, method: 'scatter', values: [] });
    expect(await answered).toMatchObject({ kind: 'error', error: { code: 'TRANSPORT_FAILURE', subject: 'scatter' } });
  });
});
