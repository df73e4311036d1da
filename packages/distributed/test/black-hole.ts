import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';

/**
 * A proxy of a server whose network can be cut: from then on nothing arrives in either direction, nobody is told, and
 * new connections are not answered. When it is mended, the old connections are gone.
 *
 * @param onSent called with all that clients send; it may change the bytes.
 */
export async function blackHole(port: number, onSent: (bytes: Buffer) => void = () => {}) {
  const pairs = new Set<readonly [Socket, Socket]>();
  const waiting = new Set<Socket>();
  let isCut = false;
  const server: Server = createServer((client) => {
    client.on('error', () => {});
    if (isCut) {
      waiting.add(client.pause());
      return;
    }
    const upstream = connectSocket(port, '127.0.0.1');
    upstream.on('error', () => {});
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('data', (bytes) => {
        if (from === client) onSent(bytes);
        if (!isCut) to.write(bytes);
      });
      from.on('close', () => {
        if (isCut) return;
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const destroyAll = () => {
    for (const socket of [...[...pairs].flat(), ...waiting]) socket.destroy();
    pairs.clear();
    waiting.clear();
  };
  return {
    servers: `127.0.0.1:${(server.address() as { readonly port: number }).port}`,
    cut() {
      isCut = true;
    },
    mend() {
      isCut = false;
      destroyAll();
    },
    close() {
      destroyAll();
      server.close();
    },
  };
}
