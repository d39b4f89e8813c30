/** A real client over TLS: it keeps every message, holds the roster, and asks for a snapshot when it sees a gap. */
import { randomBytes } from 'node:crypto';
import {
  type Address, encodeMessage, introduce, introductionAnswer, type MessageDefinition, type PeerId, PeerdError, ping, type Register, register, rendezvousAlpn, type RendezvousMessage,
  rendezvousMessages, roomKeyingBytes, roomKeyingLabel, roomProof, rosterRequest,
} from '@peerd/protocol';
import { type Channel, dial, greet, type Greeted, type Identity } from '@peerd/service';
import { onTestFinished } from 'vitest';
import { ModelClient } from '../registry/model.ts';
import { newIdentity } from './server.ts';

type Kind = RendezvousMessage['kind'];
type Body<K extends Kind> = Extract<RendezvousMessage, { kind: K }>['body'];

export interface ClientOptions {
  readonly name?: string;
  readonly identity?: Identity;
  readonly room?: string;
  readonly addresses?: readonly Address[];
  readonly secret?: string;
}

export class TestClient {
  readonly identity: Identity;
  readonly channel: Channel;
  readonly model = new ModelClient();
  readonly messages: RendezvousMessage[] = [];
  /** Resolves when the server ended the connection, or this side did. */
  readonly ended: Promise<void>;
  readonly #options: ClientOptions;
  readonly #waiting = new Set<() => void>();
  #pings = 0;
  #over = false;

  private constructor(identity: Identity, channel: Channel, greeted: Greeted, options: ClientOptions, reading: boolean) {
    this.identity = identity;
    this.channel = channel;
    this.#options = options;
    this.ended = reading ? this.#read(greeted) : Promise.resolve();
  }

  /** Up to `hello`; `reading: false` makes a client that never reads on. */
  static async greet(server: { address: { host: string; port: number }; id: PeerId }, options: ClientOptions = {}, reading = true): Promise<TestClient> {
    const identity = options.identity ?? (await newIdentity());
    const never = new AbortController().signal;
    const channel = await dial(identity, { ...server.address, protocol: rendezvousAlpn, expected: server.id }, never);
    onTestFinished(() => channel.destroy(new PeerdError('cancelled', 'test over')));
    const greeted = await greet(channel, { versions: [1], role: 'register', nonce: randomBytes(16), name: options.name ?? 'somebody', agent: 'test/1' }, never);
    channel.expect(rendezvousMessages.bounds);
    return new TestClient(identity, channel, greeted, options, reading);
  }

  /** Registered, with the first snapshot. */
  static async join(server: { address: { host: string; port: number }; id: PeerId }, options: ClientOptions = {}): Promise<TestClient> {
    const client = await TestClient.greet(server, options);
    client.register();
    await client.next('registered');
    await client.until(() => client.model.version !== undefined);
    return client;
  }

  get id(): PeerId {
    return this.identity.id;
  }

  /** Ids of the others, sorted. */
  get roster(): PeerId[] {
    return [...this.model.roster.keys()].sort();
  }

  register(more: Partial<Register> = {}): void {
    const { room = 'lobby', addresses = [{ host: '192.0.2.7', port: 12_001, kind: 'host' }], secret } = this.#options;
    const wanted = more.room ?? room;
    const proof = secret === undefined ? {} : { roomProof: roomProof(Buffer.from(secret), wanted, this.channel.exportKeyingMaterial(roomKeyingBytes, roomKeyingLabel)) };
    this.send(register, { room: wanted, addresses: [...addresses], ...proof, ...more });
  }

  send<Kind extends string, Content>(definition: MessageDefinition<Kind, Content>, body: Content): void {
    this.channel.send(encodeMessage(definition, body));
  }

  /** A ping and its pong: everything sent before has been handled. */
  async ping(): Promise<void> {
    this.#pings += 1;
    const seq = this.#pings;
    this.send(ping, { seq });
    await this.next('pong', (body) => body.seq === seq);
  }

  introduce(request: number, peer: PeerId): void {
    this.send(introduce, { request, peer });
  }

  answer(introduction: number, verdict: 'accepted' | 'refused'): void {
    this.send(introductionAnswer, { introduction, verdict });
  }

  /** A message that came or will come. */
  async next<K extends Kind>(kind: K, fits: (body: Body<K>) => boolean = () => true): Promise<Body<K>> {
    const find = (): RendezvousMessage | undefined => this.messages.find((message) => message.kind === kind && fits(message.body as unknown as Body<K>));
    await this.until(() => find() !== undefined);
    return find()?.body as unknown as Body<K>;
  }

  /** Asked again after every message; the test's own timeout bounds it. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#over) throw new Error(`the connection ended after ${JSON.stringify(this.messages.slice(-3))}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await promise;
      this.#waiting.delete(resolve);
    }
  }

  async sees(...others: readonly TestClient[]): Promise<void> {
    const expected = others.map(({ id }) => id).sort().join();
    await this.until(() => this.roster.join() === expected);
  }

  async #read(greeted: Greeted): Promise<void> {
    try {
      for await (const frame of greeted.frames) {
        const message = rendezvousMessages.read(frame);
        if (message) this.#take(message);
      }
    } catch {
      // The end of the connection is what `ended` tells; the reason stands in `messages`.
    } finally {
      this.#over = true;
      this.#wake();
    }
  }

  #take(message: RendezvousMessage): void {
    this.messages.push(message);
    if (message.kind === 'roster-snapshot') this.model.snapshotPage(message.body);
    if (message.kind === 'roster-delta') {
      const before = this.model.gap;
      this.model.delta(message.body);
      if (this.model.gap && !before) this.send(rosterRequest, { have: this.model.version ?? 0 });
    }
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}
