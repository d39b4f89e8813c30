/** One control connection of a pair of peers: reads it, answers pings, and says what the link machine must know. */
import { close as closeMessage, encodeMessage, type Frame, linkMessages, type LinkMessage, PeerdError, ping, pong, select } from '@peerd/protocol';
import { type Channel, closeReason, type Greeted, type Rate, TokenBucket } from '@peerd/service';
import { reply } from '../net/reply.ts';

/** How long users of a link may keep it from reading before it counts as dead. */
const maxPauseMs = 60_000;

/** Frames about the connection itself, and of types that are not known here. A peer that keeps the rules sends two in a heartbeat. */
const idleRate: Rate = { burst: 200, perSecond: 20 };

const idleKinds: ReadonlySet<LinkMessage['kind']> = new Set(['ping', 'pong', 'select']);

/** Where large messages count, until they were handled. */
export interface LargeMessages {
  isLarge(bytes: number): boolean;
  /** @param giveWay the connection has to end. @returns it counts no more */
  take(bytes: number, giveWay: () => void): () => void;
}

export interface ControlEvents {
  heard(): void;
  selected(order: number): void;
  pong(seq: number): void;
  /** Called at most once, and not after `close`. */
  closed(reason: PeerdError): void;
  /** Anything that is not about the connection itself. A promise pauses reading. @throws PeerdError to end the connection */
  message(message: LinkMessage, bytes: number): Promise<void> | undefined;
}

export class ControlConnection {
  readonly channel: Channel;
  readonly number: number;
  readonly dialled: boolean;
  /** Boot nonce of the other side. */
  readonly nonce: string;
  readonly name: string;
  /** Since when nothing is read because users of the link are busy. */
  #pausedAt: number | undefined;
  readonly #frames: Greeted['frames'];
  readonly #idle = new TokenBucket(idleRate, performance.now());
  #events: ControlEvents | undefined;

  constructor(channel: Channel, greeted: Greeted, dialled: boolean, number: number, large: LargeMessages) {
    this.channel = channel;
    this.number = number;
    this.dialled = dialled;
    this.nonce = Buffer.from(greeted.hello.nonce).toString('hex');
    this.name = greeted.hello.name;
    this.#frames = greeted.frames;
    channel.expect(linkMessages.bounds, {
      needsRoom: ({ length }) => large.isLarge(length),
      room: async ({ length }) => ({
        memory: Buffer.allocUnsafeSlow(length),
        release: large.take(length, () => this.#end(new PeerdError('too_many_connections', 'too many peers that are no contacts say something large at a time'))),
      }),
      // Only whole frames are a sign of life, so the link machine has a limit already.
      stallMs: 0,
    });
  }

  /** Silence says nothing: nothing is read, because users of the link are busy. Not for ever, or two sides that wait for each other would. */
  get isPaused(): boolean {
    return this.#pausedAt !== undefined && performance.now() - this.#pausedAt < maxPauseMs;
  }

  start(events: ControlEvents): void {
    this.#events = events;
    const { signal } = this.channel;
    signal.addEventListener('abort', () => this.#closed(signal.reason as PeerdError), { once: true });
    if (signal.aborted) this.#closed(signal.reason as PeerdError);
    else void this.#read();
  }

  select(order: number): void {
    this.channel.send(encodeMessage(select, { order }));
  }

  ping(seq: number): void {
    this.channel.send(encodeMessage(ping, { seq }));
  }

  /** Resolves when the connection is closed. */
  close(reason: PeerdError): Promise<void> {
    this.#events = undefined;
    return this.channel.close(reason);
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of this.#frames) {
        this.#events?.heard();
        if (frame.type === closeMessage.type) {
          const reason = closeReason(frame.payload);
          this.#closed(reason);
          this.channel.destroy(reason);
          return;
        }
        try {
          await this.#frame(frame);
        } finally {
          frame.release?.();
        }
      }
      this.#closed(new PeerdError('link_lost', 'the peer ended the connection'));
    } catch (error) {
      this.#end(error instanceof PeerdError ? error : new PeerdError('internal', 'a control connection failed', { cause: error }));
    }
  }

  /** Resolves when the next one may be read; of a large one, when it was handled. @throws PeerdError */
  async #frame(frame: Frame): Promise<void> {
    const message = linkMessages.read(frame);
    if (message === undefined || idleKinds.has(message.kind)) this.#spend();
    const busy = message && this.#message(message, frame.payload.length);
    if (!busy) return;
    this.#pausedAt = performance.now();
    await busy;
    this.#pausedAt = undefined;
  }

  /** Work for nothing is not done without end. @throws PeerdError `rate_limited` */
  #spend(): void {
    if (!this.#idle.take(performance.now())) throw new PeerdError('rate_limited', 'the peer sends more pings, or frames that mean nothing here, than it may');
  }

  #message(message: LinkMessage, bytes: number): Promise<void> | undefined {
    switch (message.kind) {
      case 'ping':
        reply(this.channel, encodeMessage(pong, message.body));
        return undefined;
      case 'pong':
        this.#events?.pong(message.body.seq);
        return undefined;
      case 'select':
        this.#events?.selected(message.body.order);
        return undefined;
      case 'hello':
        throw new PeerdError('unexpected_message', 'the peer said hello twice');
      case 'close':
        return undefined;
      default:
        return this.#events?.message(message, bytes);
    }
  }

  #end(reason: PeerdError): void {
    this.#closed(reason);
    if (!this.channel.signal.aborted) void this.channel.close(reason);
  }

  #closed(reason: PeerdError): void {
    const events = this.#events;
    this.#events = undefined;
    events?.closed(reason);
  }
}
