/**
 * Messages between people. A message is on stable storage before `send` tells of it, at the other side before it is
 * acknowledged, and sent again over the next link until then; the reader drops what it has.
 *
 * 1. send: store and send at the same time, ask for a link, wait for the acknowledgement a little
 * 2. linkUp: the outbox of the peer runs as long as the link lives
 * 3. message: theirs is stored and acknowledged; their acknowledgement completes ours
 */
import {
  chatAck, chatMaxBytes, type Chat as WireChat, type ChatMessageView, encodeMessage, type LinkMessage, PeerdError, type PeerId, type SendMessageResponse,
} from '@peerd/protocol';
import { type Logger, newUlid, type Rate } from '@peerd/service';
import type { Contacts } from '../contacts/ports.ts';
import type { EventSink } from '../control/ports.ts';
import type { Database } from '../database/ports.ts';
import type { Link, Links, LinkUser } from '../peer/ports.ts';
import { type StoredMessage, type Unstored, viewOf } from './message.ts';
import { Outbox } from './outbox.ts';
import type { Chat, MessageQuery } from './ports.ts';
import { MessageStore, type StoreLimits } from './store.ts';
import type { Pacing } from '../net/pacing.ts';
import type { ReadPace } from '../net/read-pace.ts';

export interface ChatLimits extends StoreLimits {
  /** What one peer may send us. Faster ones are not refused: their link is read more slowly. */
  readonly rate: Rate;
  /** Messages to one peer that may wait for it. */
  readonly queued: number;
  /** How long `send` waits for the acknowledgement. */
  readonly deliveryWaitMs: number;
  /** After which what is not acknowledged goes out again. */
  readonly againMs: number;
}

export const chatLimits: ChatLimits = { perStranger: 100, ofStrangers: 1_000, perPeer: 50_000, rate: { burst: 256, perSecond: 20 }, queued: 10_000, deliveryWaitMs: 3_000, againMs: 60_000 };

export interface ChatOptions {
  readonly database: Database;
  readonly contacts: Pick<Contacts, 'get'>;
  readonly links: () => Pick<Links, 'get' | 'need' | 'release'>;
  readonly events: EventSink;
  readonly logger: Logger;
  readonly pacing: Pick<Pacing, 'pace'>;
  /** A message was not stored, since its sender is no contact and has too many here. */
  readonly onRefused?: () => void;
  readonly limits?: ChatLimits;
}

/** As the owner of a need. */
const owner = 'chat';
/** Messages of a peer, in both directions, between two rounds of trimming. */
const trimEvery = 256;

/** Nothing is asked of the links before `start`. */
export const loadChat = async (options: ChatOptions): Promise<StoredChat> => {
  const limits = options.limits ?? chatLimits;
  const store = new MessageStore(options.database, limits);
  // The daemon may have ended right after a stranger became a contact.
  for (const peer of await store.strangers()) if (options.contacts.get(peer)) await store.adopt(peer);
  return new StoredChat(options, limits, store, await store.queuedCounts());
};

export class StoredChat implements Chat, LinkUser {
  readonly #options: ChatOptions;
  readonly #limits: ChatLimits;
  readonly #store: MessageStore;
  /** Messages that are not acknowledged, of peers that have any. */
  readonly #waiting: Map<PeerId, number>;
  readonly #outboxes = new Map<PeerId, Outbox>();
  readonly #pace: ReadPace;
  /** Messages that were stored since the peer's were trimmed. */
  readonly #untrimmed = new Map<PeerId, number>();
  /** Senders that wait for an acknowledgement, by message. */
  readonly #senders = new Map<string, { readonly peer: PeerId; readonly acknowledged: () => void }>();

  constructor(options: ChatOptions, limits: ChatLimits, store: MessageStore, waiting: Map<PeerId, number>) {
    this.#options = options;
    this.#limits = limits;
    this.#pace = options.pacing.pace('messages', limits.rate);
    this.#store = store;
    this.#waiting = waiting;
  }

  /** Asks for links to the peers for which messages are waiting. */
  start(): void {
    for (const peer of this.#waiting.keys()) this.#options.links().need(peer, owner);
  }

  /** Messages of ours that are not acknowledged. */
  get queued(): number {
    return this.#waiting.values().reduce((sum, count) => sum + count, 0);
  }

  async send(peer: { id: PeerId; name: string }, text: string, signal: AbortSignal): Promise<Omit<SendMessageResponse, 'warnings'>> {
    const bytes = Buffer.byteLength(text);
    if (bytes < 1 || bytes > chatMaxBytes || text.includes('\0') || !text.isWellFormed())
      throw new PeerdError('invalid_argument', `a message is text of 1 to ${chatMaxBytes} bytes without NUL, this one has ${bytes} bytes`, { hint: 'Send long text as a file.' });
    const before = this.#waiting.get(peer.id) ?? 0;
    if (before >= this.#limits.queued)
      throw new PeerdError('rate_limited', `${before} messages wait for this peer already`, { hint: 'Wait until the peer is back: see `peerctl peers`.' });
    this.#waiting.set(peer.id, before + 1);
    this.#options.links().need(peer.id, owner);
    const message = {
      peer: peer.id, peerName: peer.name, id: newUlid(), direction: 'sent', text, sentAt: Date.now(), state: 'queued', stranger: false,
    } as const;
    const waiting = this.#delivered(message, signal);
    try {
      const storing = this.#store.queue(message);
      // Two disks at work at once: beside content, each of them may take its time.
      this.#outboxes.get(peer.id)?.sendAhead(message, before);
      this.#publish(await storing);
    } catch (error) {
      waiting.giveUp();
      this.#settled(peer.id);
      throw error;
    }
    this.#outboxes.get(peer.id)?.wake();
    this.#trim(peer.id).catch((error: unknown) => this.#options.logger.error({ peer: peer.id, err: error }, 'chat: old messages cannot be removed now'));
    const state = (await waiting.delivered) ? 'delivered' : 'queued';
    return { message: this.#view({ ...message, state }), state };
  }

  async messages(query: MessageQuery): Promise<ChatMessageView[]> {
    return (await this.#store.latest(query)).map((message) => this.#view(message));
  }

  /** Messages of peers that are no contacts. */
  ofStrangers(): Promise<number> {
    return this.#store.ofStrangers();
  }

  adopt(peer: PeerId): Promise<void> {
    return this.#store.adopt(peer);
  }

  async disown(peer: PeerId): Promise<number> {
    const dropped = await this.#store.disown(peer);
    this.#untrimmed.delete(peer);
    // What was written meanwhile waits as before.
    this.#settled(peer, dropped);
    return dropped;
  }

  linkUp(link: Link): void {
    const onFailure = (error: unknown): void => this.#options.logger.error({ peer: link.peer, err: error }, 'chat: queued messages cannot be read now');
    const outbox = new Outbox(link, this.#store, { againMs: this.#limits.againMs, onFailure });
    this.#outboxes.set(link.peer, outbox);
    outbox.run().catch((error: unknown) => {
      if (!link.signal.aborted) this.#options.logger.error({ peer: link.peer, err: error }, 'chat: queued messages cannot be sent over this link');
    });
  }

  linkDown(link: Link): void {
    if (this.#outboxes.get(link.peer)?.link === link) this.#outboxes.delete(link.peer);
  }

  async message(link: Link, message: LinkMessage): Promise<void> {
    if (message.kind === 'chat') await this.#receive(link, message.body);
    else if (message.kind === 'chat-ack') await this.#acknowledged(link, message.body.id);
  }

  async #receive(link: Link, body: WireChat): Promise<void> {
    await this.#pace.turn(link);
    const stranger = this.#options.contacts.get(link.peer) === undefined;
    const stored = await this.#store.receive({ peer: link.peer, peerName: link.name, id: body.id, text: body.text, sentAt: body.sentAt, stranger });
    if (stored === 'full') {
      // Without an acknowledgement the sender keeps it, and sends it again once there is room.
      this.#options.onRefused?.();
      this.#options.logger.warn({ peer: link.peer }, 'chat: a message was not stored, its sender is no contact and has too many here');
      return;
    }
    if (stored !== 'duplicate') {
      this.#publish(stored);
      await this.#trim(link.peer);
    }
    // Not awaited: two peers that wait for each other to read would stop both. The rate bounds what may queue up here.
    link.send(encodeMessage(chatAck, { id: body.id })).catch(() => {});
  }

  /** With the first message too: links, and runs of the daemon, may be short. */
  async #trim(peer: PeerId): Promise<void> {
    const untrimmed = this.#untrimmed.get(peer) ?? trimEvery;
    this.#untrimmed.set(peer, untrimmed < trimEvery ? untrimmed + 1 : 1);
    if (untrimmed >= trimEvery) await this.#store.trim(peer);
  }

  async #acknowledged(link: Link, id: string): Promise<void> {
    // The peer has it on stable storage: that is all that a sender waits for. If we forget that we know, it goes out again and is dropped there.
    const sender = this.#senders.get(id);
    if (sender?.peer === link.peer) sender.acknowledged();
    const message = await this.#store.acknowledged(link.peer, id);
    this.#outboxes.get(link.peer)?.acknowledged(id);
    if (!message) {
      // Of nothing, or known: it has cost a query, as a message does.
      await this.#pace.turn(link);
      return;
    }
    this.#settled(link.peer);
    this.#publish(message);
  }

  #settled(peer: PeerId, count = 1): void {
    const left = (this.#waiting.get(peer) ?? 0) - count;
    if (left > 0) {
      this.#waiting.set(peer, left);
      return;
    }
    this.#waiting.delete(peer);
    this.#options.links().release(peer, owner);
  }

  /** `false` if it was not acknowledged in time. */
  #delivered({ id, peer }: Unstored, signal: AbortSignal): { readonly delivered: Promise<boolean>; giveUp(): void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (isDelivered: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      this.#senders.delete(id);
      resolve(isDelivered);
    };
    const giveUp = (): void => end(false);
    const timer = setTimeout(giveUp, this.#limits.deliveryWaitMs);
    this.#senders.set(id, { peer, acknowledged: () => end(true) });
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    return { delivered: promise, giveUp };
  }

  #view(message: Unstored): ChatMessageView {
    return viewOf(message, this.#options.contacts.get(message.peer)?.name);
  }

  #publish(message: StoredMessage): void {
    this.#options.events.publish({ kind: 'message', message: this.#view(message) });
  }
}
