/**
 * Data connections of one link. The side that dialled the link dials them too.
 *
 * Listening side: `open` issues a token, sends it, and waits for the connection that brings it.
 * Dialling side: `open` sends a request, gets a token, and dials with it.
 * A token that nobody here asked for, or a request, means that the other side wants to send.
 */
import { type DataRequest, type DataToken, dataRequest, dataToken, encodeMessage, peerAlpn, PeerdError, type TransferId } from '@peerd/protocol';
import { type Channel, dial, greet, type Greeted } from '@peerd/service';
import { orAborted, Scope } from '../net/scope.ts';
import type { ContentMemory } from './content-memory.ts';
import { ChannelData } from './data-connection.ts';
import type { LinksDeps } from './deps.ts';
import type { LinkMetrics } from './metrics.ts';
import type { DataConnection, Link } from './ports.ts';
import type { LinkTiming } from './timing.ts';
import type { Tokens } from './tokens.ts';

/** Data connections of one link that may be open, and requests that may be under way. */
const maxOpen = 64;
const maxPending = 16;

/** Takes a connection whose token was right. `false`: it comes too late. */
export type TakeData = (channel: Channel, frames: Greeted['frames']) => boolean;

export interface LinkDataContext {
  readonly deps: Pick<LinksDeps, 'identity' | 'hello' | 'users' | 'policy' | 'logger'>;
  readonly tokens: Tokens<TakeData>;
  readonly timing: LinkTiming;
  readonly metrics: LinkMetrics;
  readonly content: ContentMemory;
}

export class LinkData {
  readonly #link: Link;
  readonly #context: LinkDataContext;
  readonly #open = new Set<ChannelData>();
  /** Who waits for a token, oldest first. */
  readonly #asked = new Map<TransferId, ((token: Uint8Array) => void)[]>();
  #pending = 0;

  constructor(link: Link, context: LinkDataContext) {
    this.#link = link;
    this.#context = context;
  }

  /** A connection to send on. @throws PeerdError; the reason of either signal */
  async open(transfer: TransferId, signal: AbortSignal): Promise<DataConnection> {
    const reason = (): PeerdError => new PeerdError('handshake_timeout', 'the data connection did not come up in time');
    using scope = new Scope([this.#link.signal, signal], { ms: this.#context.timing.openDataMs, reason });
    scope.signal.throwIfAborted();
    return await this.#counted(() => (this.#link.dialled ? this.#requestAndDial(transfer, scope.signal) : this.#offerToken(transfer, scope.signal)));
  }

  /** The listening side was asked for a token: the other side wants to send. */
  onRequest({ transfer }: DataRequest): void {
    if (this.#link.dialled) throw new PeerdError('unexpected_message', 'a data-request came from the listening side');
    if (!this.#isExpected(transfer)) return;
    const round = this.#roundOf(transfer);
    const token = this.#open.size >= maxOpen ? undefined : this.#context.tokens.issue(this.#link.peer, (channel, frames) => {
      if (this.#link.signal.aborted || this.#roundOf(transfer) !== round) return false;
      this.#receive(transfer, this.#keep(channel, frames, 'receive', 'accepted'));
      return true;
    });
    // Not awaited: a reader that waits for its writer could wait for ever. Few tokens can be open.
    if (token) this.#link.send(encodeMessage(dataToken, { transfer, token })).catch(() => this.#context.tokens.revoke(token));
    else this.#context.metrics.dataRefused();
  }

  /** The dialling side got a token: the one it asked for, or one that lets the other side send. */
  onToken({ transfer, token }: DataToken): void {
    if (!this.#link.dialled) throw new PeerdError('unexpected_message', 'a data-token came from the dialling side');
    const asked = this.#asked.get(transfer)?.shift();
    if (asked) return asked(token);
    if (this.#isExpected(transfer) && this.#open.size < maxOpen && this.#pending < maxPending) void this.#dialToReceive(transfer, token);
    return undefined;
  }

  end(reason: PeerdError): void {
    for (const connection of this.#open) connection.destroy(reason);
  }

  async #offerToken(transfer: TransferId, signal: AbortSignal): Promise<DataConnection> {
    const arrived = Promise.withResolvers<DataConnection>();
    const take: TakeData = (channel, frames) => {
      if (signal.aborted) return false;
      arrived.resolve(this.#keep(channel, frames, 'send', 'accepted'));
      return true;
    };
    const expired = (): void => arrived.reject(new PeerdError('token_invalid', 'the peer did not dial the data connection before its token expired'));
    const token = this.#context.tokens.issue(this.#link.peer, take, expired);
    if (!token) throw new PeerdError('rate_limited', 'too many data connections to this peer are being opened');
    try {
      await this.#link.send(encodeMessage(dataToken, { transfer, token }));
      return await orAborted(arrived.promise, signal);
    } finally {
      this.#context.tokens.revoke(token);
    }
  }

  async #requestAndDial(transfer: TransferId, signal: AbortSignal): Promise<DataConnection> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const waiting = this.#asked.get(transfer) ?? [];
    this.#asked.set(transfer, [...waiting, resolve]);
    try {
      await this.#link.send(encodeMessage(dataRequest, { transfer }));
      const token = await orAborted(promise, signal);
      return await this.#dial(token, 'send', signal);
    } finally {
      const left = (this.#asked.get(transfer) ?? []).filter((other) => other !== resolve);
      if (left.length > 0) this.#asked.set(transfer, left);
      else this.#asked.delete(transfer);
    }
  }

  async #dialToReceive(transfer: TransferId, token: Uint8Array): Promise<void> {
    const reason = (): PeerdError => new PeerdError('handshake_timeout', 'the data connection did not come up in time');
    using scope = new Scope([this.#link.signal], { ms: this.#context.timing.openDataMs, reason });
    const round = this.#roundOf(transfer);
    try {
      const connection = await this.#counted(() => this.#dial(token, 'receive', scope.signal));
      // It was opened for a round that has ended meanwhile: its chunks were or will be sent again in another one.
      if (this.#roundOf(transfer) !== round) return connection.destroy(new PeerdError('cancelled', 'the round of content is over'));
      this.#receive(transfer, connection);
    } catch (error) {
      if (!this.#link.signal.aborted) this.#context.deps.logger.warn({ peer: this.#link.peer, transfer, err: error }, 'could not dial a data connection');
    }
  }

  async #dial(token: Uint8Array, direction: 'send' | 'receive', signal: AbortSignal): Promise<ChannelData> {
    const { identity, hello } = this.#context.deps;
    const { host, port } = this.#link.remote;
    const channel = await dial(identity, { host, port, protocol: peerAlpn, expected: this.#link.peer }, signal);
    const { frames } = await greet(channel, { ...hello, role: 'data', token }, signal);
    return this.#keep(channel, frames, direction, 'dialled');
  }

  #keep(channel: Channel, frames: Greeted['frames'], direction: 'send' | 'receive', side: 'dialled' | 'accepted'): ChannelData {
    const { content, metrics, timing } = this.#context;
    const memory = direction === 'receive' ? content.open(this.#link.peer) : undefined;
    const connection = new ChannelData(channel, frames, memory && { memory, stallMs: timing.stalledDataMs });
    const { signal } = connection;
    this.#open.add(connection);
    const ended = (): void => {
      this.#open.delete(connection);
      memory?.[Symbol.dispose]();
      if (memory && signal.reason instanceof PeerdError && signal.reason.code === 'stalled') metrics.dataStalled();
    };
    signal.addEventListener('abort', ended, { once: true });
    if (signal.aborted) ended();
    metrics.dataOpened(side);
    return connection;
  }

  #isExpected(transfer: TransferId): boolean {
    return this.#context.deps.users.some((user) => user.expectsData?.(this.#link.peer, transfer) === true);
  }

  #roundOf(transfer: TransferId): number | undefined {
    for (const user of this.#context.deps.users) {
      const round = user.dataRound?.(this.#link.peer, transfer);
      if (round !== undefined) return round;
    }
    return undefined;
  }

  #receive(transfer: TransferId, connection: ChannelData): void {
    const user = this.#context.deps.users.find((candidate) => candidate.dataOpened && candidate.expectsData?.(this.#link.peer, transfer));
    if (user?.dataOpened) user.dataOpened(this.#link, transfer, connection);
    else connection.destroy(new PeerdError('cancelled', 'nobody expects data of this transfer any more'));
  }

  async #counted<T>(open: () => Promise<T>): Promise<T> {
    if (this.#pending >= maxPending || this.#open.size >= maxOpen) throw new PeerdError('rate_limited', 'too many data connections on this link');
    this.#pending += 1;
    try {
      return await open();
    } finally {
      this.#pending -= 1;
    }
  }
}
