/**
 * One party of a recorded conversation, as it was then: it says its frames byte for byte, and waits for those of the other
 * side, which is of today. Only what is different in each run is put in the place of what was recorded: ids and roots of the
 * transfer that today's side has made, tokens, and the signature over them.
 */
import {
  clientMessages, dataBounds, decodeCbor, encodeCbor, type Frame, type FrameBounds, frameHeaderBytes, linkMessages, type MessageSet, peerAlpn, PeerdError, rendezvousAlpn, rendezvousMessages,
} from '@peerd/protocol';
import { type Channel, dial, type Identity, listen, type Listener } from '@peerd/service';
import { type Conversation, frameOf, isVolatile, kindOf, type Party, payloadOf, type Step } from './conversation.ts';

type Body = Record<string, unknown>;

const never = new AbortController().signal;

interface Connection {
  readonly channel: Channel;
  readonly frames: AsyncGenerator<Frame, void, void>;
}

/** Read without the schemas of today: those of the old version are not here, and it has none that is stricter than what it said. */
const bodyOf = (kind: string, payload: Uint8Array): Body | undefined => (isBulk(kind) ? undefined : (decodeCbor(payload) as Body));
const isBulk = (kind: string): boolean => kind === 'chunk' || kind === 'pack' || kind === 'hole';

export class OldPeer implements AsyncDisposable {
  readonly #identity: Identity;
  readonly #party: Party;
  readonly #conversation: Conversation;
  readonly #connections = new Map<number, Connection>();
  /** Recorded bytes and what they are in this run, in hex. */
  readonly #now = new Map<string, string>();
  #listener: Listener | undefined;
  readonly #arrived: Channel[] = [];
  #wake: (() => void) | undefined;
  /** What today's side said, for the test to look at. */
  readonly heard: { readonly kind: string; readonly body: Body | undefined; readonly recorded: Body | undefined }[] = [];

  constructor(identity: Identity, party: Party, conversation: Conversation) {
    this.#identity = identity;
    this.#party = party;
    this.#conversation = conversation;
  }

  /** For a party that is dialled. @returns where */
  async listen(): Promise<{ host: string; port: number }> {
    this.#listener = await listen(this.#identity, {
      host: '127.0.0.1', port: 0, protocols: [this.#alpn],
      onChannel: (channel, settled) => {
        settled();
        this.#arrived.push(channel);
        this.#wake?.();
      },
    });
    return this.#listener.address;
  }

  /** To the end of the conversation. @param target where to dial, of a party that dials */
  async play(target?: { readonly host: string; readonly port: number }, steps: readonly Step[] = this.#conversation.steps): Promise<void> {
    for (const [at, step] of steps.entries()) {
      const connection = this.#connections.get(step.on) ?? (await this.#connect(step.on, target));
      if (step.from === this.#party) await this.#say(step, connection.channel);
      else await this.#hear(step, connection);
      if (step.kind === 'hello' && step.from !== this.#party) connection.channel.expect(this.#boundsAfter(step));
      // A data connection ends with its content, which no frame tells.
      if (step.on > 0 && step.from === this.#party && !steps.slice(at + 1).some(({ on }) => on === step.on)) connection.channel.end();
    }
  }

  /** Another frame than the recorded ones, on a connection that is up. */
  say(on: number, frame: Uint8Array): void {
    this.#connections.get(on)?.channel.send(frame);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener?.close();
    for (const { channel } of this.#connections.values()) channel.destroy(new PeerdError('disconnected', 'the test is over'));
  }

  get #isOfRendezvous(): boolean {
    return this.#party === 'client' || this.#party === 'rendezvous';
  }

  get #alpn(): string {
    return this.#isOfRendezvous ? rendezvousAlpn : peerAlpn;
  }

  #boundsAfter(step: Step): FrameBounds {
    const sets: Readonly<Record<Party, MessageSet<unknown>>> = { client: rendezvousMessages, rendezvous: clientMessages, sender: linkMessages, receiver: linkMessages };
    return bodyOf('hello', payloadOf(step))?.['role'] === 'data' ? dataBounds : sets[this.#party].bounds;
  }

  async #connect(on: number, target: { readonly host: string; readonly port: number } | undefined): Promise<Connection> {
    let channel: Channel | undefined;
    if (target) channel = await dial(this.#identity, { ...target, protocol: this.#alpn }, never);
    while (channel === undefined) {
      channel = this.#arrived.shift();
      if (channel) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const connection = { channel, frames: channel.frames() };
    this.#connections.set(on, connection);
    return connection;
  }

  async #say(step: Step, channel: Channel): Promise<void> {
    const frame = this.#asOfNow(frameOf(step));
    if (!channel.send(step.kind === 'receipt' ? this.#signed(frame) : frame)) await channel.drained();
  }

  /** The next frame that is not volatile: it must be of this kind, and have whatever was recorded of it. */
  async #hear(step: Step, { frames }: Connection): Promise<void> {
    for (;;) {
      const { value: frame, done } = await frames.next();
      if (done === true || frame === undefined) throw new Error(`the connection ended, ${step.kind} was expected`);
      const kind = kindOf(frame.type);
      // How many deltas come is a matter of time.
      if (isVolatile(kind) || (kind === 'roster-delta' && step.kind !== kind)) continue;
      const type = step.frame === undefined && step.gzip === undefined ? frame.type : frameOf(step).readUInt8(4);
      if (kind !== step.kind || frame.type !== type) throw new Error(`expected ${step.kind}, heard ${kind}: ${JSON.stringify(bodyOf(kind, frame.payload))}`);
      const body = bodyOf(kind, frame.payload);
      const recorded = step.frame === undefined && step.gzip === undefined ? undefined : bodyOf(kind, payloadOf(step));
      this.heard.push({ kind, body, recorded });
      for (const key of ['transfer', 'offerRoot', 'contentRoot', 'token', 'id', 'request', 'introduction']) this.#learn(recorded?.[key], body?.[key]);
      return;
    }
  }

  #learn(recorded: unknown, now: unknown): void {
    if (typeof recorded === 'number' ? recorded === now : recorded === undefined || now === undefined) return;
    // In CBOR, so that only values of the same type are replaced.
    this.#now.set(encodeCbor(recorded).toString('hex'), encodeCbor(now).toString('hex'));
  }

  /** With values of this run, which are as long as the recorded ones; in a receipt they stand within bytes. */
  #asOfNow(frame: Buffer): Buffer {
    let hex = frame.toString('hex');
    for (const [before, now] of this.#now) if (before.length > 8) hex = hex.replaceAll(before, now);
    return Buffer.from(hex, 'hex');
  }

  #signed(frame: Buffer): Buffer {
    const { body, signature } = decodeCbor(frame.subarray(frameHeaderBytes)) as { readonly body: Uint8Array; readonly signature: Uint8Array };
    frame.set(this.#identity.sign(body), frame.indexOf(signature));
    return frame;
  }
}
