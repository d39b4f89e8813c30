/** The connections to one peer: runs the link machine, as apps/peerd/src/peer/slot.ts does. */
import { absentLink, type LinkEffect, type LinkEvent, linkHeartbeatMs, type LinkState, PeerdError, type PeerId, stepLink } from '@peerd/protocol';
import type { Task } from '../engine/timeline.ts';
import type { Process } from '../world/machine.ts';
import type { Message } from '../world/message.ts';
import type { Endpoint, Network, Side, Wire } from '../world/network.ts';
import { Link, type LinkUser, type Tokens } from './link.ts';

/** As in apps/peerd/src/peer/timing.ts. */
const timerMs = { heartbeat: linkHeartbeatMs, probe: 2_000, select: 10_000 };

/** The link and its spares. */
const maxConnections = 5;

export interface SlotParts {
  readonly process: Process;
  readonly network: Network;
  readonly tokens: Tokens;
  readonly user: LinkUser;
  readonly up: (link: Link) => void;
  readonly down: (link: Link) => void;
  /** The number of connections has changed. */
  readonly changed: () => void;
}

interface Connection {
  readonly wire: Wire;
  readonly side: Side;
  /** Selected, by either side. */
  selected: boolean;
}

export class Slot {
  link: Link | undefined;
  readonly #peer: PeerId;
  readonly #parts: SlotParts;
  readonly #connections = new Map<number, Connection>();
  readonly #timers = new Map<string, Task>();
  #state: LinkState;
  #queue: LinkEvent[] | undefined;

  constructor(peer: PeerId, parts: SlotParts) {
    this.#peer = peer;
    this.#parts = parts;
    this.#state = absentLink(parts.process.machine.name < peer);
  }

  get isEmpty(): boolean {
    return this.#connections.size === 0;
  }

  get state(): LinkState {
    return this.#state;
  }

  adopt(wire: Wire, side: Side, nonce: string): Endpoint {
    const number = this.#parts.process.count();
    this.#connections.set(number, { wire, side, selected: false });
    const endpoint: Endpoint = {
      receive: (message) => this.#receive(number, message),
      closed: () => this.#lost(number, new PeerdError('link_lost', 'the connection ended')),
    };
    wire.ends[side] = endpoint;
    this.dispatch({ kind: 'opened', connection: number, nonce });
    return endpoint;
  }

  dispatch(event: LinkEvent): void {
    if (this.#queue) {
      this.#queue.push(event);
      return;
    }
    const { process } = this.#parts;
    this.#queue = [event];
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const before = this.#state.phase;
      const { state, effects } = stepLink(this.#state, next);
      this.#state = state;
      if (before !== state.phase) process.log(() => `link to ${this.#peer} ${before} → ${state.phase}`);
      for (const effect of effects) this.#effect(effect);
      this.#check();
    }
    this.#queue = undefined;
    this.#parts.changed();
  }

  #receive(number: number, message: Message): void {
    const { process } = this.#parts;
    const connection = this.#connections.get(number);
    if (!connection) return undefined;
    const { wire, side } = connection;
    this.dispatch({ kind: 'heard', connection: number });
    switch (message.kind) {
      case 'ping':
        return wire.send(side, { kind: 'pong', seq: message.seq });
      case 'pong':
        return this.dispatch({ kind: 'pong', connection: number, seq: message.seq });
      case 'select':
        connection.selected = true;
        return this.dispatch({ kind: 'selected', connection: number, order: message.order });
      case 'close':
        wire.close(side);
        return this.#lost(number, new PeerdError(message.code, 'the peer said so'));
      default:
        if (this.link?.wire === wire) return this.link.receive(message);
        // The other side has closed it meanwhile, or uses what is not selected.
        process.machine.ledger.check(!wire.open[(1 - side) as Side], 'nothing is said on a connection that is not selected', () => `${message.kind} on connection ${wire.number}`);
        return undefined;
    }
  }

  /** A user can't go on with the link. */
  #failed(number: number): void {
    this.#close(number, 'internal');
    this.dispatch({ kind: 'closed', connection: number, reason: new PeerdError('internal', 'a user of the link failed') });
  }

  #lost(number: number, reason: PeerdError): void {
    if (!this.#connections.has(number)) return;
    this.#forget(number);
    this.dispatch({ kind: 'closed', connection: number, reason });
  }

  #effect(effect: LinkEffect): void {
    const { process, network, tokens, user } = this.#parts;
    const { ledger } = process.machine;
    const number = effect.connection;
    const connection = this.#connections.get(number);
    switch (effect.kind) {
      case 'select':
        if (connection) connection.selected = true;
        return connection?.wire.send(connection.side, { kind: 'select', order: process.count() });
      case 'ping':
        return connection?.wire.send(connection.side, { kind: 'ping', seq: effect.seq });
      case 'up': {
        ledger.check(this.link === undefined, 'at most one link of a pair', () => `${process.machine.name} has two links to ${this.#peer}`);
        ledger.check(connection?.selected === true, 'nothing is used before it is selected', () => `connection ${connection?.wire.number}`);
        if (!connection) return undefined;
        this.link = new Link(this.#peer, connection.wire, connection.side, { process, network, tokens, user, failed: () => this.#failed(number) });
        ledger.counts.links += 1;
        return this.#parts.up(this.link);
      }
      case 'down': {
        const { link } = this;
        this.link = undefined;
        link?.end();
        return link && this.#parts.down(link);
      }
      case 'close':
        ledger.check(connection !== undefined, 'what is closed is closed once', () => `connection ${number} of ${process.machine.name}`);
        return this.#close(number, effect.reason.code);
      case 'start':
        return this.#start(effect.timer, number);
      case 'stop':
        return this.#stop(`${effect.timer} ${number}`);
    }
  }

  #start(timer: 'heartbeat' | 'probe' | 'select', connection: number): void {
    const key = `${timer} ${connection}`;
    this.#stop(key);
    this.#timers.set(key, this.#parts.process.after(timerMs[timer], () => this.dispatch({ kind: 'timer', timer, connection })));
  }

  #stop(key: string): void {
    const task = this.#timers.get(key);
    if (task) task.cancelled = true;
    this.#timers.delete(key);
  }

  #close(number: number, code: PeerdError['code']): void {
    const connection = this.#connections.get(number);
    this.#forget(number);
    connection?.wire.send(connection.side, { kind: 'close', code });
    connection?.wire.close(connection.side);
  }

  #forget(number: number): void {
    this.#connections.delete(number);
    for (const timer of ['heartbeat', 'probe', 'select']) this.#stop(`${timer} ${number}`);
  }

  /** What the users of the link were told is what the machine knows. */
  #check(): void {
    const state = this.#state;
    const current = state.phase === 'up' ? this.#connections.get(state.current)?.wire : undefined;
    const { ledger, name } = this.#parts.process.machine;
    ledger.check(this.link?.wire === current, 'the link that users see is the one selected', () => `${name} shows ${this.link?.wire.number}, has ${current?.number}`);
    ledger.check(this.#connections.size <= maxConnections, 'bounded queues', () => `${name} holds ${this.#connections.size} connections to ${this.#peer}`);
  }
}
