/** A rendezvous that a test drives: it lets a client in as a real one does, and from then on says what the test says. */
import { type ClientMessage, clientMessages, encodeMessage, type PeerId, ping, registered, rendezvousAlpn, type RosterEntry, rosterSnapshot } from '@peerd/protocol';
import { answerHello, awaitHello, type Channel, type Identity, listen, type Listener } from '@peerd/service';
import { ScriptedConnection } from './scripted-connection.ts';

export type ScriptedClient = ScriptedConnection<ClientMessage>;

const never = new AbortController().signal;

export class ScriptedRendezvous implements Disposable {
  readonly #listener: Listener;
  readonly #clients = new Set<ScriptedClient>();

  private constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** @param peers on the roster of whoever registers. @returns also the client of an id, once it has registered */
  static async start(identity: Identity, { host = '127.0.0.1', peers = () => [] }: { host?: string; peers?: () => RosterEntry[] } = {}): Promise<{ rendezvous: ScriptedRendezvous; client: (id: PeerId) => Promise<ScriptedClient> }> {
    const arrived = new Map<PeerId, PromiseWithResolvers<ScriptedClient>>();
    const of = (id: PeerId): PromiseWithResolvers<ScriptedClient> => {
      const place = arrived.get(id) ?? Promise.withResolvers<ScriptedClient>();
      arrived.set(id, place);
      return place;
    };
    const serve = async (channel: Channel, settled: () => void): Promise<void> => {
      const { frames } = await awaitHello(channel, never);
      answerHello(channel, { versions: [1], role: 'register', nonce: Buffer.alloc(16, 9), name: 'liar', agent: 'liar/1' });
      settled();
      const client: ScriptedClient = new ScriptedConnection(channel, frames, clientMessages);
      rendezvous.#clients.add(client);
      await client.next('register');
      client.write(encodeMessage(registered, { epoch: 1, observedHost: host, leaseMs: 30_000, heartbeatMs: 10_000 }));
      client.write(encodeMessage(rosterSnapshot, { version: 1, peers: peers(), last: true }));
      of(channel.peerId).resolve(client);
    };
    const rendezvous = new ScriptedRendezvous(await listen(identity, {
      host, port: 0, protocols: [rendezvousAlpn],
      // Whoever leaves may: the test hears of it when it waits for something.
      onChannel: (channel, settled) => void serve(channel, settled).catch(() => {}),
    }));
    return { rendezvous, client: (id) => of(id).promise };
  }

  /** HOST:PORT */
  get address(): string {
    return `${this.#listener.address.host}:${this.#listener.address.port}`;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const client of this.#clients) client[Symbol.dispose]();
  }
}

/** Resolves when the client has read everything that was said to it before. */
export const hasRead = async (client: ScriptedClient): Promise<void> => {
  const seq = Math.floor(Math.random() * 2 ** 31);
  client.say(ping, { seq });
  await client.next('pong', (body) => body.seq === seq);
};
