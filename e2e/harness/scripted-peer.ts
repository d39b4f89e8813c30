/**
 * A peer that a test drives: a real key and the real wire, against real daemons, and no rule that it keeps by itself.
 *
 *  1. `register` stands on the roster of a rendezvous, `introduce` asks for a peer there
 *  2. `link` dials a peer, `accept` waits for one that dials; both come back selected as the link
 *  3. `data` dials a data connection with any token
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  type Address, dataBounds, encodeMessage, type Hello, introduce, introduction, introductionAnswer, type LinkMessage, linkMessages, type MessageSet, peerAlpn, PeerdError, type PeerId,
  protocolVersions, register, rendezvousAlpn, type RendezvousMessage, rendezvousMessages, type RosterEntry, select,
} from '@peerd/protocol';
import { answerHello, awaitHello, type Channel, dial, greet, type Greeted, type Identity, listen, type Listener, loadIdentity } from '@peerd/service';
import { ScriptedConnection } from './scripted-connection.ts';
import type { Peer } from './world.ts';

export type ScriptedLink = ScriptedConnection<LinkMessage>;
export type ScriptedRegistration = ScriptedConnection<RendezvousMessage>;
export type ScriptedData = ScriptedConnection<never>;

export interface Target {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
}

/** Nothing is read on a data connection but `close`. */
const dataMessages: MessageSet<never> = { bounds: dataBounds, read: () => undefined };

const never = new AbortController().signal;

/** Where a running daemon listens. */
export const targetOf = async (peer: Peer): Promise<Target> => {
  const { listen: addresses } = await peer.json<{ listen: string[] }>('status');
  const [host, port] = /^(.+):(\d+)$/.exec(addresses[0] ?? '')?.slice(1) ?? [];
  if (host === undefined) throw new Error(`${peer.name} listens nowhere`);
  return { id: peer.id, host, port: Number(port) };
};

export class ScriptedPeer implements Disposable {
  readonly identity: Identity;
  name: string;
  agent = 'scripted/1';
  /** As of a process that lives on; a new one says that it was started anew. */
  nonce: Buffer = randomBytes(16);
  readonly #connections = new Set<Disposable>();
  #listener: Listener | undefined;
  readonly #inbound: EventTarget = new EventTarget();
  readonly #arrived: { channel: Channel; greeted: Greeted }[] = [];

  private constructor(identity: Identity, name: string) {
    this.identity = identity;
    this.name = name;
  }

  /** @param directory for the key: the same again is the same peer */
  static async create(directory: string, name: string): Promise<ScriptedPeer> {
    return new ScriptedPeer(await loadIdentity(directory), name);
  }

  get id(): PeerId {
    return this.identity.id;
  }

  hello(more: Partial<Hello> = {}): Hello {
    return { versions: [...protocolVersions], role: 'link', nonce: this.nonce, name: this.name, agent: this.agent, ...more };
  }

  /** Connections that somebody has dialled and said hello on, not taken yet. */
  get arrived(): number {
    return this.#arrived.length;
  }

  /** Makes it a contact of a daemon, as its person would. */
  async pinnedAt(peer: Peer): Promise<void> {
    const { host, port } = this.#listener?.address ?? { host: '127.0.0.1', port: 9 };
    await peer.json('trust', `${this.id}@${host}:${port}`);
  }

  /** TLS and no word more. */
  dial(target: Omit<Target, 'id'> & { id?: PeerId }, protocol: string = peerAlpn): Promise<Channel> {
    const { host, port, id } = target;
    return dial(this.identity, { host, port, protocol, ...(id === undefined ? {} : { expected: id }) }, never);
  }

  /** Ready when the link is selected, by whichever side has to. */
  async link(target: Target, more: Partial<Hello> = {}): Promise<ScriptedLink> {
    const channel = await this.dial(target);
    const { frames } = await greet(channel, this.hello(more), never);
    return this.#selected(channel, frames);
  }

  async data(target: Target, token: Uint8Array, more: Partial<Hello> = {}): Promise<ScriptedData> {
    const channel = await this.dial(target);
    const { frames } = await greet(channel, this.hello({ role: 'data', token, ...more }), never);
    return this.#keep(new ScriptedConnection(channel, frames, dataMessages));
  }

  /** @param address HOST:PORT of a rendezvous. @param addresses candidates; none: it can't be dialled */
  async register(address: string, addresses: readonly Address[] = [], room = 'lobby'): Promise<ScriptedRegistration> {
    const [host = '', port = ''] = address.split(':');
    const channel = await this.dial({ host, port: Number(port) }, rendezvousAlpn);
    const { frames } = await greet(channel, this.hello({ role: 'register' }), never);
    const registration = this.#keep(new ScriptedConnection<RendezvousMessage>(channel, frames, rendezvousMessages));
    registration.write(encodeMessage(register, { room, addresses: [...addresses] }));
    await registration.next('registered');
    return registration;
  }

  /** @returns where the asked peer can be reached, when it wants to be */
  async introduce(registration: ScriptedRegistration, peer: PeerId, request = 1): Promise<RosterEntry | undefined> {
    registration.write(encodeMessage(introduce, { request, peer }));
    return (await registration.next('introduction-result', (body) => body.request === request)).peer;
  }

  /** Answers the next introduction that somebody asks for. */
  async introduced(registration: ScriptedRegistration, verdict: 'accepted' | 'refused' = 'accepted'): Promise<RosterEntry> {
    const asked = await registration.next(introduction.kind);
    registration.write(encodeMessage(introductionAnswer, { introduction: asked.introduction, verdict }));
    return asked.from;
  }

  /** Listens. @returns the candidate to register */
  async listen(): Promise<Address> {
    this.#listener = await listen(this.identity, {
      host: '127.0.0.1', port: 0, protocols: [peerAlpn],
      onChannel: (channel, settled) => {
        awaitHello(channel, never).then((greeted) => {
          settled();
          this.#arrived.push({ channel, greeted });
          this.#inbound.dispatchEvent(new Event('arrived'));
        }, () => {});
      },
    });
    return { ...this.#listener.address, kind: 'host' };
  }

  /** The next connection that somebody has dialled, after their hello and before ours. */
  async arrival(): Promise<{ channel: Channel; greeted: Greeted }> {
    for (;;) {
      const arrived = this.#arrived.shift();
      if (arrived) return arrived;
      await once(this.#inbound, 'arrived', { signal: AbortSignal.timeout(20_000) });
    }
  }

  /** A link that somebody has dialled. */
  async accept(): Promise<ScriptedLink> {
    const { channel, greeted } = await this.arrival();
    answerHello(channel, this.hello());
    return this.#selected(channel, greeted.frames);
  }

  [Symbol.dispose](): void {
    this.#listener?.close();
    for (const { channel } of this.#arrived) channel.destroy(new PeerdError('cancelled', 'the script is over'));
    for (const connection of this.#connections) connection[Symbol.dispose]();
  }

  async #selected(channel: Channel, frames: Greeted['frames']): Promise<ScriptedLink> {
    const link = this.#keep(new ScriptedConnection<LinkMessage>(channel, frames, linkMessages));
    if (this.id < channel.peerId) link.say(select, { order: 1 });
    else await link.next('select');
    return link;
  }

  #keep<C extends Disposable>(connection: C): C {
    this.#connections.add(connection);
    return connection;
  }
}
