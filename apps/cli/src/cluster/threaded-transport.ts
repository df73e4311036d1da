import { MessageChannel, Worker } from 'node:worker_threads';
import { portTransport, type Transport } from '@lmd/distributed';
import { deserializeError } from '../errors.js';
import type { FromTransport, TransportThread } from './transport-thread.js';

/**
 * Connects to a server as `connectTransport` does, in a thread of its own: messages are sent and received while a step
 * is computed in this one.
 */
export async function threadedTransport(url: string, options: TransportThread['options'] = {}): Promise<Transport> {
  const { port1, port2 } = new MessageChannel();
  const data: TransportThread = { url, options, port: port2 };
  const thread = new Worker(new URL('./cluster/transport-thread.js', import.meta.url), {
    workerData: data,
    transferList: [port2],
  });
  const ended = new Promise<void>((resolve) => thread.on('exit', () => resolve()));
  const answer = await new Promise<FromTransport>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
  if ('error' in answer) {
    port1.close();
    await ended;
    throw deserializeError(answer.error);
  }
  const transport = portTransport(port1);
  // Calls that wait for a thread that has failed would wait for ever.
  thread.on('error', () => void transport.close());
  return {
    ...transport,
    name: answer.name,
    async close() {
      await transport.close();
      await ended;
    },
  };
}
