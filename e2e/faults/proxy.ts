/** A TCP proxy between two peers that does to connections what networks do, and worse: TLS has to notice all of it. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What happens to bytes on their way. */
export type Mangling = 'corrupt' | 'duplicate' | 'reorder' | 'drop';

/** Of the bytes that a client said first, to say them again on another connection. */
const keptBytes = 64 * 1024;

interface Passage {
  readonly sockets: readonly [Socket, Socket];
  said: Buffer;
}

export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: () => Address;
  readonly #passages = new Set<Passage>();
  /** For the next bytes of any connection. */
  #mangling: { readonly kind: Mangling; readonly random: Random } | undefined;
  #refusing = false;
  #stalled: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  private constructor(server: Server, target: () => Address) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (socket) => this.#open(socket));
  }

  /** @param target asked for each connection: a peer that is started again has another port */
  static async start(target: () => Address): Promise<FaultProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, target);
  }

  /** HOST:PORT */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends all connections; new ones may come, unless they are refused. */
  cut(): void {
    for (const { sockets } of this.#passages) for (const socket of sockets) socket.resetAndDestroy();
  }

  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  /** Nothing passes any more, and nobody is told. */
  stall(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled ??= { over: promise, end: resolve };
  }

  goOn(): void {
    this.#stalled?.end();
    this.#stalled = undefined;
  }

  mangleNext(kind: Mangling, random: Random): void {
    this.#mangling = { kind, random };
  }

  /** Says what a client has said again, on a connection of its own, and reads what is answered until the end. */
  async replay(random: Random): Promise<void> {
    const recorded = [...this.#passages].filter(({ said }) => said.length > 0);
    if (recorded.length === 0) return;
    const socket = connect(this.#target());
    socket.resume().end(random.pick(recorded).said);
    // A reset is an answer too.
    await once(socket, 'close').catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goOn();
    this.#server.close();
    this.cut();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #open(client: Socket): void {
    if (this.#refusing) return void client.resetAndDestroy();
    const server = connect(this.#target());
    const passage: Passage = { sockets: [client, server], said: Buffer.alloc(0) };
    this.#passages.add(passage);
    for (const socket of passage.sockets) {
      // That connections break is what this is for.
      socket.on('error', () => {});
      socket.once('close', () => {
        for (const other of passage.sockets) other.destroy();
        this.#passages.delete(passage);
      });
    }
    void this.#pass(client, server, (bytes) => {
      if (passage.said.length < keptBytes) passage.said = Buffer.concat([passage.said, bytes]);
    });
    void this.#pass(server, client, () => {});
  }

  async #pass(from: Socket, to: Socket, note: (bytes: Buffer) => void): Promise<void> {
    /** Overtaken by what comes next. */
    let held: Buffer | undefined;
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        note(bytes);
        while (this.#stalled) await this.#stalled.over;
        const mangling = held ? undefined : this.#mangling;
        if (mangling) this.#mangling = undefined;
        if (mangling?.kind === 'reorder') {
          held = bytes;
          continue;
        }
        const parts: Buffer[] = held ? [bytes, held] : mangled(bytes, mangling);
        held = undefined;
        for (const part of parts) if (!to.write(part)) await once(to, 'drain');
      }
      to.end();
    } catch {
      to.destroy();
    }
  }
}

const mangled = (bytes: Buffer, mangling: { kind: Mangling; random: Random } | undefined): Buffer[] => {
  switch (mangling?.kind) {
    case 'corrupt': {
      const at = mangling.random.int(0, bytes.length - 1);
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << mangling.random.int(0, 7));
      return [changed];
    }
    case 'duplicate':
      return [bytes, bytes];
    case 'drop':
      return [bytes.subarray(0, mangling.random.int(0, bytes.length - 1))];
    default:
      return [bytes];
  }
};
