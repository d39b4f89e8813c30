/** The connections to one peer: runs the link machine and does what it says. */
import { absentLink, type LinkEffect, type LinkEvent, type LinkMessage, type LinkState, PeerdError, type PeerId, shortPeerId, stepLink } from '@peerd/protocol';
import type { Channel, Greeted, Logger } from '@peerd/service';
import { Timers } from '../net/timers.ts';
import { ActiveLink } from './active-link.ts';
import { ControlConnection } from './control-connection.ts';
import type { LinkDataContext } from './link-data.ts';
import type { Link } from './ports.ts';
import { strangerBytes, type StrangerRoom } from './stranger-room.ts';

export interface SlotContext extends LinkDataContext {
  readonly strangers: StrangerRoom;
  /** Numbers that grow within this process: of connections, and of selects. */
  readonly count: () => number;
  readonly onUp: (link: Link) => void;
  readonly onDown: (link: Link, reason: PeerdError) => void;
}

export class Slot {
  readonly #context: SlotContext;
  readonly #logger: Logger;
  readonly #connections = new Map<number, ControlConnection>();
  readonly #timers = new Timers();
  readonly #closing = new Set<Promise<void>>();
  #state: LinkState;
  #link: ActiveLink | undefined;
  #queue: LinkEvent[] | undefined;

  constructor(peer: PeerId, context: SlotContext) {
    this.#context = context;
    this.#state = absentLink(context.deps.identity.id < peer);
    this.#logger = context.deps.logger.child({ peer: shortPeerId(peer) });
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** There is a connection that is not closing. */
  get isOpen(): boolean {
    return this.#connections.size > 0;
  }

  /** There is no connection, open or closing. */
  get isEmpty(): boolean {
    return this.#connections.size === 0 && this.#closing.size === 0;
  }

  /** Takes a channel over, after hello went both ways. */
  adopt(channel: Channel, greeted: Greeted, dialled: boolean): void {
    const { deps, strangers } = this.#context;
    const connection = new ControlConnection(channel, greeted, dialled, this.#context.count(), {
      isLarge: (bytes) => bytes >= strangerBytes && !deps.policy.isContact(channel.peerId),
      take: (bytes, giveWay) => strangers.take(bytes, giveWay),
    });
    const { number } = connection;
    this.#connections.set(number, connection);
    this.#dispatch({ kind: 'opened', connection: number, nonce: connection.nonce });
    // The machine may have closed it at once.
    if (!this.#connections.has(number)) return;
    connection.start({
      heard: () => this.#dispatch({ kind: 'heard', connection: number }),
      selected: (order) => this.#dispatch({ kind: 'selected', connection: number, order }),
      pong: (seq) => this.#dispatch({ kind: 'pong', connection: number, seq }),
      message: (message, bytes) => this.#message(connection, message, bytes),
      closed: (reason) => {
        this.#forget(number);
        this.#dispatch({ kind: 'closed', connection: number, reason });
      },
    });
  }

  /** Closes everything. `false`: there was no link. */
  end(reason: PeerdError): boolean {
    const was = this.#link !== undefined;
    this.#dispatch({ kind: 'end', reason });
    return was;
  }

  /** Resolves when the connections that are being closed are. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  #close(connection: ControlConnection, reason: PeerdError): void {
    const closing = connection.close(reason).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #message(connection: ControlConnection, message: LinkMessage, bytes: number): Promise<void> | undefined {
    if (this.#link?.connection === connection) return this.#link.receive(message, bytes);
    throw new PeerdError('unexpected_message', `${message.kind} came on a connection that was not selected`);
  }

  #dispatch(event: LinkEvent): void {
    if (this.#queue) {
      this.#queue.push(event);
      return;
    }
    this.#queue = [event];
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const { state, effects } = stepLink(this.#state, next);
      this.#state = state;
      for (const effect of effects) this.#effect(effect);
    }
    this.#queue = undefined;
  }

  #effect(effect: LinkEffect): void {
    const connection = this.#connections.get(effect.connection);
    switch (effect.kind) {
      case 'select':
        return connection?.select(this.#context.count());
      case 'ping':
        return connection?.ping(effect.seq);
      case 'up':
        return connection && this.#up(connection);
      case 'down':
        return this.#down(effect.reason);
      case 'close':
        this.#forget(effect.connection);
        return connection && this.#close(connection, effect.reason);
      case 'start': {
        const { timer, connection: number } = effect;
        const ms = { heartbeat: this.#context.timing.heartbeatMs, probe: this.#context.timing.probeMs, select: this.#context.timing.selectMs }[timer];
        return this.#timers.set(`${timer} ${number}`, ms, () => {
          // Nothing is read while users are busy, so nothing can have been heard.
          if (this.#connections.get(number)?.isPaused) this.#dispatch({ kind: 'heard', connection: number });
          this.#dispatch({ kind: 'timer', timer, connection: number });
        });
      }
      case 'stop':
        return this.#timers.clear(`${effect.timer} ${effect.connection}`);
    }
  }

  #up(connection: ControlConnection): void {
    const link = new ActiveLink(connection, this.#context, (error) => this.#failed(link, error));
    this.#link = link;
    this.#logger.debug({ address: link.remote, dialled: link.dialled }, 'link is up');
    this.#context.onUp(link);
  }

  #down(reason: PeerdError): void {
    const link = this.#link;
    if (!link) return;
    this.#link = undefined;
    this.#context.tokens.revokeAll(link.peer);
    link.end(reason);
    this.#logger.debug({ code: reason.code, seconds: Math.round((Date.now() - link.since) / 1_000) }, 'link ended');
    this.#context.onDown(link, reason);
  }

  /** A user can't go on with the link: it ends, for both sides. */
  #failed(link: ActiveLink, error: PeerdError): void {
    this.#logger.warn({ err: error }, 'a user of the link gave it up');
    if (this.#link !== link) return;
    const { number } = link.connection;
    this.#forget(number);
    this.#close(link.connection, error);
    this.#dispatch({ kind: 'closed', connection: number, reason: error });
  }

  #forget(number: number): void {
    this.#connections.delete(number);
    for (const timer of ['heartbeat', 'probe', 'select']) this.#timers.clear(`${timer} ${number}`);
  }
}
