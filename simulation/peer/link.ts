/** The selected connection of a pair, as its users see it: messages one after the other, and data connections beside it. */
import type { PeerId, TransferId } from '@peerd/protocol';
import type { Process } from '../world/machine.ts';
import type { LinkMessage, Message } from '../world/message.ts';
import type { Endpoint, Network, Side, Wire } from '../world/network.ts';
import { dialAndGreet } from './greet.ts';

const tokenMs = 10_000;
const openDataMs = 15_000;
const maxInbox = 64;

export interface LinkUser {
  /** @param done may be called later: the next message waits for it. With an error, the link ends */
  message(link: Link, message: LinkMessage, done: (error: string | undefined) => void): void;
  /** The round of content that a data connection would belong to now; `undefined` when none is expected. */
  expectsData(peer: PeerId, transfer: TransferId): number | undefined;
  /** Takes the connection over, or closes it. */
  dataOpened(link: Link, transfer: TransferId, wire: Wire, side: Side): Endpoint;
}

type DataAnswer = (wire: Wire | undefined, side: Side) => Endpoint | undefined;

/** Single-use, of one process: what brings one back is the data connection that was asked for. */
export class Tokens {
  readonly #open = new Map<number, { readonly peer: PeerId; readonly take: (wire: Wire) => Endpoint | undefined }>();
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  issue(peer: PeerId, take: (wire: Wire) => Endpoint | undefined): number {
    const token = this.#process.count();
    this.#open.set(token, { peer, take });
    this.#process.after(tokenMs, () => this.#open.delete(token));
    return token;
  }

  redeem(token: number, peer: PeerId, wire: Wire): Endpoint | undefined {
    const found = this.#open.get(token);
    if (found?.peer !== peer) return undefined;
    this.#open.delete(token);
    return found.take(wire);
  }
}

export class Link {
  readonly peer: PeerId;
  readonly wire: Wire;
  readonly side: Side;
  alive = true;
  readonly #process: Process;
  readonly #network: Network;
  readonly #tokens: Tokens;
  readonly #user: LinkUser;
  readonly #failed: () => void;
  readonly #inbox: LinkMessage[] = [];
  #busy = false;
  /** Data connections that end with the link. */
  readonly #data = new Set<{ readonly wire: Wire; readonly side: Side; readonly endpoint: Endpoint }>();
  readonly #asked = new Map<TransferId, (token: number) => void>();

  constructor(peer: PeerId, wire: Wire, side: Side, parts: { process: Process; network: Network; tokens: Tokens; user: LinkUser; failed: () => void }) {
    this.peer = peer;
    this.wire = wire;
    this.side = side;
    this.#process = parts.process;
    this.#network = parts.network;
    this.#tokens = parts.tokens;
    this.#user = parts.user;
    this.#failed = parts.failed;
  }

  send(message: LinkMessage): void {
    this.#process.machine.ledger.check(this.alive, 'nothing is said without a link', () => JSON.stringify(message));
    this.wire.send(this.side, message);
  }

  receive(message: Message): void {
    switch (message.kind) {
      case 'data-request': {
        const round = this.#user.expectsData(this.peer, message.transfer);
        if (round === undefined) return undefined;
        return this.send({ kind: 'data-token', transfer: message.transfer, token: this.#tokens.issue(this.peer, (wire) => this.#take(message.transfer, round, wire, 1)) });
      }
      case 'data-token': {
        const asked = this.#asked.get(message.transfer);
        if (asked) return asked(message.token);
        const round = this.#user.expectsData(this.peer, message.transfer);
        if (round !== undefined) this.#dial(message.token, (wire, side) => wire && this.#take(message.transfer, round, wire, side));
        return undefined;
      }
      case 'from-sender':
      case 'from-receiver':
      case 'verify':
        this.#inbox.push(message);
        this.#process.machine.ledger.check(this.#inbox.length <= maxInbox, 'bounded queues', () => `${this.#inbox.length} messages of ${this.peer} are not read`);
        return this.#next();
      default:
        return this.#process.machine.ledger.check(false, 'only what is allowed on a connection', () => `${message.kind} on a link`);
    }
  }

  /** A connection to send on. @param answer gets none when it did not come up; called once. Returns how to give it up */
  openData(transfer: TransferId, answer: DataAnswer): () => void {
    let over = false;
    const once: DataAnswer = (wire, side) => {
      if (over) {
        wire?.close(side);
        return undefined;
      }
      over = true;
      timer.cancelled = true;
      this.#asked.delete(transfer);
      return answer(wire, side);
    };
    const timer = this.#process.after(openDataMs, () => once(undefined, 0));
    if (this.side === 1) this.send({ kind: 'data-token', transfer, token: this.#tokens.issue(this.peer, (wire) => once(wire, 1)) });
    else {
      this.#asked.set(transfer, (token) => {
        this.#asked.delete(transfer);
        this.#dial(token, once);
      });
      this.send({ kind: 'data-request', transfer });
    }
    return () => {
      over = true;
      timer.cancelled = true;
      this.#asked.delete(transfer);
    };
  }

  /** Data connections of a link end with it. */
  keep(wire: Wire, side: Side, endpoint: Endpoint): Endpoint {
    this.#data.add({ wire, side, endpoint });
    return endpoint;
  }

  end(): void {
    this.alive = false;
    this.#inbox.length = 0;
    for (const { wire, side, endpoint } of this.#data) {
      if (!wire.open[side]) continue;
      wire.close(side);
      endpoint.closed(false);
    }
  }

  #take(transfer: TransferId, round: number, wire: Wire, side: Side): Endpoint | undefined {
    if (!this.alive || this.#user.expectsData(this.peer, transfer) !== round) {
      wire.close(side);
      return undefined;
    }
    return this.keep(wire, side, this.#user.dataOpened(this, transfer, wire, side));
  }

  #dial(token: number, answer: DataAnswer): void {
    dialAndGreet({
      network: this.#network, process: this.#process, to: this.peer, role: 'data', token,
      greeted: (wire) => {
        if (this.alive) return answer(wire, 0);
        wire.close(0);
        return undefined;
      },
      failed: () => answer(undefined, 0),
    });
  }

  #next(): void {
    if (this.#busy || !this.alive) return;
    const message = this.#inbox.shift();
    if (!message) return;
    this.#busy = true;
    this.#user.message(this, message, (error) => {
      this.#busy = false;
      if (error !== undefined && this.alive) this.#failed();
      this.#next();
    });
  }
}
