import { connect, createServer, type Server, type Socket } from 'node:net';

/** Shortest piece of a connection that is changed: it holds a payload, and hardly anything of the protocol. */
const shortestChanged = 4096;

/** A proxy of a server that is cut, is slow, or changes what it carries. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cutUntil = 0;
  #slowUntil = 0;
  #changes = 0;

  private constructor(target: number) {
    this.#server = createServer((client) => {
      if (performance.now() < this.#cutUntil) {
        client.destroy();
        return;
      }
      const upstream = connect(target, '127.0.0.1');
      this.#join(client, upstream);
      this.#join(upstream, client);
    });
  }

  static async to(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { readonly port: number }).port;
  }

  /** Ends all connections, and refuses new ones for a time. */
  cut(milliseconds: number): void {
    this.#cutUntil = performance.now() + milliseconds;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Delays everything for a time. */
  slow(milliseconds: number): void {
    this.#slowUntil = performance.now() + milliseconds;
  }

  /** Changes a bit in the next long piece. */
  change(): void {
    this.#changes++;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    let last = Promise.resolve();
    from.on('data', (bytes) => {
      if (this.#changes > 0 && bytes.length >= shortestChanged) {
        this.#changes--;
        bytes[bytes.length >>> 1]! ^= 1;
      }
      // In order, also where the delay changes.
      const delay = performance.now() < this.#slowUntil ? 20 : 0;
      last = last.then(async () => {
        if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
        if (!to.destroyed) to.write(bytes);
      });
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
