import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/peer/deps.ts';

/** Stands between two peers. Frozen, it keeps its connections open and passes nothing on, as a lost route does. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly address: Endpoint;
  #frozen = false;

  private constructor(server: Server, address: Endpoint) {
    this.#server = server;
    this.address = address;
  }

  static async to(target: Endpoint): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not bound');
    const proxy = new TcpProxy(server, { host: '127.0.0.1', port: bound.port });
    server.on('connection', (inner) => {
      const outer = connect(target);
      for (const [from, into] of [[inner, outer], [outer, inner]] as const) {
        proxy.#sockets.add(from);
        from.on('error', () => {});
        from.on('close', () => {
          proxy.#sockets.delete(from);
          if (!proxy.#frozen) into.destroy();
        });
        from.pipe(into);
      }
    });
    onTestFinished(() => proxy.cut());
    return proxy;
  }

  /** Accepts, and never says a word. */
  swallow(): void {
    this.#server.removeAllListeners('connection');
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      socket.resume();
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** What stands stays, and carries nothing any more; new connections are refused. */
  freeze(): void {
    this.#frozen = true;
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  cut(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
