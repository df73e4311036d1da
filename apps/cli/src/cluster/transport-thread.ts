import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { serveTransport } from '@lmd/distributed';
import { type SerializedError, serializeError } from '../errors.js';
import { type ConnectOptions, connectTransport } from './connect.js';

/** What the thread of a connection is given. */
export interface TransportThread {
  readonly url: string;
  readonly options: Omit<ConnectOptions, 'environment'>;
  readonly port: MessagePort;
}

/** Whether it is connected. */
export type FromTransport = { readonly name: string } | { readonly error: SerializedError };

const { url, options, port } = workerData as TransportThread;
try {
  const transport = await connectTransport(url, options);
  const end = serveTransport(transport, port);
  port.on('close', async () => {
    end();
    await transport.close();
  });
  parentPort!.postMessage({ name: transport.name } satisfies FromTransport);
} catch (error) {
  parentPort!.postMessage({ error: serializeError(error) } satisfies FromTransport);
  port.close();
}
