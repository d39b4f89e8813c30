/** Who is there when somebody attacks: a rendezvous, a victim, an honest peer of it, and offenders as they are needed. */
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { type MessagesResponse, ping, type SendMessageResponse } from '@peerd/protocol';
import { ask } from '../../harness/control.ts';
import { type ScriptedLink, ScriptedPeer, type ScriptedRegistration, type Target, targetOf } from '../../harness/scripted-peer.ts';
import { type Peer, type Rendezvous, World } from '../../harness/world.ts';

/** Nobody waits longer for an honest message. */
const patienceMs = 20_000;

/** HOST:PORT, apart. */
export const hostOf = (address: string): { host: string; port: number } => {
  const [host = '', port = ''] = address.split(':');
  return { host, port: Number(port) };
};

export class Stage implements AsyncDisposable {
  readonly rendezvous: Rendezvous;
  readonly victim: Peer;
  /** Where the victim listens. */
  readonly target: Target;
  /** HOST:PORT of its metrics. */
  readonly metrics: string;
  readonly #world: World;
  readonly #honest: Peer;
  readonly #scripted: ScriptedPeer[];
  /** Of an honest client. */
  readonly #registration: ScriptedRegistration;
  #offenders = 0;

  private constructor(parts: { world: World; rendezvous: Rendezvous; victim: Peer; honest: Peer; target: Target; metrics: string; client: ScriptedPeer; registration: ScriptedRegistration }) {
    this.#world = parts.world;
    this.rendezvous = parts.rendezvous;
    this.victim = parts.victim;
    this.#honest = parts.honest;
    this.target = parts.target;
    this.metrics = parts.metrics;
    this.#scripted = [parts.client];
    this.#registration = parts.registration;
  }

  static async create(): Promise<Stage> {
    const world = await World.create();
    try {
      const rendezvous = await world.rendezvous();
      const [victim, honest] = await world.peersInOneRoom(['victim', 'honest']);
      // Contacts of each other: of a stranger only so many messages are kept.
      await honest.json('chat', victim.id, 'hello');
      await victim.json('chat', honest.id, 'hello');
      const { metrics } = await ask<{ metrics: string }>(victim.socket, '/v1/status');
      const client = await ScriptedPeer.create(join(world.directory, 'client'), 'client');
      return new Stage({ world, rendezvous, victim, honest, target: await targetOf(victim), metrics, client, registration: await client.register(rendezvous.address) });
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** With a key that nobody has seen. */
  async offender(): Promise<ScriptedPeer> {
    this.#offenders += 1;
    const peer = await ScriptedPeer.create(join(this.#world.directory, `offender${this.#offenders}`), `offender${this.#offenders}`);
    this.#scripted.push(peer);
    return peer;
  }

  /** Somebody who may link, as who was introduced. */
  async introduced(): Promise<ScriptedPeer> {
    const peer = await this.offender();
    using registration = await peer.register(this.rendezvous.address);
    if (!(await peer.introduce(registration, this.victim.id))) throw new Error('the victim wants no stranger');
    return peer;
  }

  /** A link of somebody who was introduced. */
  async stranger(): Promise<ScriptedLink> {
    return (await this.introduced()).link(this.target);
  }

  async contact(): Promise<{ peer: ScriptedPeer; link: ScriptedLink }> {
    const peer = await this.offender();
    await peer.pinnedAt(this.victim);
    return { peer, link: await peer.link(this.target) };
  }

  /** An honest message is delivered to the victim. @throws when it is not */
  async chat(): Promise<void> {
    let { message } = await ask<SendMessageResponse>(this.#honest.socket, '/v1/messages', 'POST', { peer: this.victim.id, text: 'can you hear me?' });
    const patience = AbortSignal.timeout(patienceMs);
    // The daemon answers `queued` after 3 s, and goes on.
    while (message.state !== 'delivered') {
      patience.throwIfAborted();
      const { messages } = await ask<MessagesResponse>(this.#honest.socket, `/v1/messages?peer=${this.victim.id}`);
      message = messages.find(({ id }) => id === message.id) ?? message;
    }
  }

  /** An honest client of the rendezvous gets an answer. @throws when it does not */
  async heartbeat(): Promise<void> {
    const seq = randomBytes(4).readUInt32BE();
    this.#registration.say(ping, { seq });
    await this.#registration.next('pong', (body) => body.seq === seq);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#scripted) peer[Symbol.dispose]();
    await this.#world[Symbol.asyncDispose]();
  }
}
