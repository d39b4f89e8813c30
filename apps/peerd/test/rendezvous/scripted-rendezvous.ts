/** A rendezvous that does what the test says, with real TLS and real frames. */
import { type ClientMessage, clientMessages, encodeMessage, type Hello, type MessageDefinition, PeerdError, protocolVersions, registered, rendezvousAlpn, rosterSnapshot, type RosterEntry } from '@peerd/protocol';
import { answerHello, awaitHello, type Channel, type Identity, listen, type Listener } from '@peerd/service';
import { onTestFinished } from 'vitest';
import { Arrivals } from '../support.ts';

type Kind = ClientMessage['kind'];

/** One connection of a client. */
export class Served {
  readonly channel: Channel;
  readonly hello: Hello;
  readonly messages: Arrivals<ClientMessage> = new Arrivals();

  constructor(channel: Channel, hello: Hello) {
    this.channel = channel;
    this.hello = hello;
  }

  send<Body>(definition: MessageDefinition<string, Body>, body: Body): void {
    this.channel.send(encodeMessage(definition, body));
  }

  /** The next message, which must be of this kind. */
  async expect<K extends Kind>(kind: K): Promise<Extract<ClientMessage, { kind: K }>['body']> {
    const message = await this.messages.next();
    if (message.kind !== kind) throw new Error(`expected ${kind}, got ${JSON.stringify(message)}`);
    return message.body as never;
  }

  /** Reads `register`, answers it, and sends the roster. */
  async register(peers: RosterEntry[] = [], timing = { heartbeatMs: 10_000, leaseMs: 30_000 }, epoch = 1): Promise<Extract<ClientMessage, { kind: 'register' }>['body']> {
    const body = await this.expect('register');
    this.send(registered, { epoch, observedHost: this.channel.remote.host, ...timing });
    this.send(rosterSnapshot, { version: 1, peers, last: true });
    return body;
  }
}

export class ScriptedRendezvous {
  readonly listener: Listener;
  readonly served: Arrivals<Served> = new Arrivals();
  readonly #channels = new Set<Channel>();

  private constructor(listener: Listener) {
    this.listener = listener;
  }

  static async start(identity: Identity, port = 0): Promise<ScriptedRendezvous> {
    const nonce = Buffer.alloc(16, 9);
    const hello: Hello = { versions: [...protocolVersions], role: 'register', nonce, name: 'rendezvous', agent: 'test/1' };
    const listener: Listener = await listen(identity, {
      host: '127.0.0.1',
      port,
      protocols: [rendezvousAlpn],
      onChannel: (channel, settled) => void serve(channel, settled).catch(() => {}),
    });
    const server = new ScriptedRendezvous(listener);
    const serve = async (channel: Channel, settled: () => void): Promise<void> => {
      server.#channels.add(channel);
      const greeted = await awaitHello(channel, new AbortController().signal);
      answerHello(channel, hello);
      settled();
      channel.expect(clientMessages.bounds);
      const served = new Served(channel, greeted.hello);
      server.served.push(served);
      for await (const frame of greeted.frames) {
        const message = clientMessages.read(frame);
        if (message) served.messages.push(message);
      }
    };
    onTestFinished(() => server.stop());
    return server;
  }

  get address(): { host: string; port: number } {
    return this.listener.address;
  }

  stop(): void {
    this.listener.close();
    for (const channel of this.#channels) channel.destroy(new PeerdError('shutting_down', 'test over'));
  }
}
