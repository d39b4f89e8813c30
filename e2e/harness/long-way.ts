/** A long way on this machine: what comes is passed on after a delay, and each connection holds only so many bytes meanwhile. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface LongWayOptions {
  readonly port: number;
  readonly delayMs: number;
  /** Bytes under way in each direction of each connection: together with the delay, what caps it. */
  readonly window: number;
}

export class LongWay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async to(options: LongWayOptions): Promise<LongWay> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not bound');
    const way = new LongWay(server, bound.port);
    server.on('connection', (near) => {
      const far = connect({ port: options.port, host: '127.0.0.1', allowHalfOpen: true });
      way.#carry(near, far, options);
      way.#carry(far, near, options);
    });
    return way;
  }

  #carry(from: Socket, into: Socket, { delayMs, window }: LongWayOptions): void {
    let underWay = 0;
    this.#sockets.add(from);
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      if (from.errored) into.destroy();
    });
    from.on('data', (bytes) => {
      underWay += bytes.length;
      if (underWay >= window) from.pause();
      setTimeout(() => {
        underWay -= bytes.length;
        into.write(bytes);
        if (underWay < window) from.resume();
      }, delayMs);
    });
    from.on('end', () => setTimeout(() => into.end(), delayMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
