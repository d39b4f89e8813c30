/**
 * TCP between machines: in order and without loss on one connection, in any order among several; until something happens to it.
 *
 *   cut     both ends are told, what was on its way is gone
 *   silent  nothing passes any more and nobody is told (a NAT forgot it, a cable was pulled); TCP gives up after a while, by keepalive where nothing is sent
 *   stall   what is on its way waits
 */
import type { Random } from '../engine/random.ts';
import type { Timeline } from '../engine/timeline.ts';
import type { Ledger } from './ledger.ts';
import type { Machine, Process } from './machine.ts';
import type { Message } from './message.ts';

/** 0 dialled, 1 listened. */
export type Side = 0 | 1;
export type Role = 'link' | 'data' | 'register';

export interface Endpoint {
  receive(message: Message): void;
  /** The other side ended it, `orderly`, or the network did. Not after an own `close`. */
  closed(orderly: boolean): void;
}

/** Much less than on Linux (about 15 minutes), so that runs are short. */
const tcpGivesUpMs = 120_000;
/** Heartbeats find out much earlier: three of them, and before that a probe of each of the four spares. A data connection has none. */
const silenceEndsMs: Record<Role, number> = { link: 32_000, register: 42_000, data: tcpGivesUpMs + 1_000 };
/** What may wait in one direction of a connection before it counts as unbounded. */
const maxQueue = 256;

export class Wire {
  readonly number: number;
  readonly role: Role;
  readonly processes: readonly [Process, Process];
  readonly ends: [Endpoint | undefined, Endpoint | undefined] = [undefined, undefined];
  readonly open: [boolean, boolean] = [true, true];
  /** Exported keying material as each side has it: different when somebody stands in between. */
  readonly keying: [number, number];
  silent = false;
  stalledUntil = 0;
  readonly #network: Network;
  readonly #queues: [(Message | 'fin')[], (Message | 'fin')[]] = [[], []];
  readonly #arrival: [number, number] = [0, 0];

  constructor(network: Network, number: number, role: Role, processes: readonly [Process, Process]) {
    this.#network = network;
    this.number = number;
    this.role = role;
    this.processes = processes;
    this.keying = [number, network.intercepted ? -number : number];
  }

  joins(one: string, other: string): boolean {
    const [dialler, listener] = this.processes;
    return (dialler.machine.name === one && listener.machine.name === other) || (dialler.machine.name === other && listener.machine.name === one);
  }

  get isOpen(): boolean {
    return this.open[0] || this.open[1];
  }

  send(from: Side, message: Message): void {
    if (!this.open[from]) return;
    this.#network.log(this, from, () => `→ ${textOf(message)}`);
    this.#put(from, message);
  }

  /** An orderly end: what was sent before arrives before it. */
  close(from: Side): void {
    if (!this.open[from]) return;
    this.open[from] = false;
    this.#network.log(this, from, () => 'closes');
    this.#put(from, 'fin');
    this.#network.forget(this);
  }

  cut(): void {
    this.#queues[0].length = 0;
    this.#queues[1].length = 0;
    this.silent = true;
    for (const side of [0, 1] as const) this.#network.after(this.processes[side], 200, () => this.#ended(side, false));
  }

  silence(): void {
    if (this.silent) return;
    this.silent = true;
    for (const side of [0, 1] as const) {
      this.processes[side].after(tcpGivesUpMs, () => this.#ended(side, false));
      // Of a client that has not registered, the rendezvous knows nothing to miss.
      if (this.role !== 'register' || side === 0) this.#expectEnd(side);
    }
  }

  #expectEnd(side: Side): void {
    const process = this.processes[side];
    const { timeline, ledger } = this.#network;
    const begin = timeline.now;
    process.after(silenceEndsMs[this.role], () => {
      if (process.machine.suspendedUntil < begin) ledger.check(!this.open[side], 'silence ends a connection in time', () => `${this.role} ${this.number} at ${process.machine.name}`);
    });
  }

  /** The process of this side is gone. @param loses the last of what it wrote may not have left the machine */
  abandon(side: Side, power: boolean, loses: (queued: number) => number): void {
    if (!this.open[side]) return;
    const queue = this.#queues[1 - side as Side];
    queue.length -= loses(queue.length);
    if (power) this.silence();
    this.close(side);
  }

  #put(from: Side, message: Message | 'fin'): void {
    if (this.silent) return;
    const to = (1 - from) as Side;
    const { timeline, ledger } = this.#network;
    const queue = this.#queues[to];
    queue.push(message);
    ledger.check(queue.length <= maxQueue, 'bounded queues', () => `${queue.length} messages wait on connection ${this.number}`);
    const at = Math.max(this.#arrival[to], Math.max(timeline.now, this.stalledUntil) + this.#network.latency());
    this.#arrival[to] = at;
    timeline.plan(at - timeline.now, this.processes[to], () => this.#deliver(to));
  }

  #deliver(to: Side): void {
    const { timeline } = this.#network;
    if (this.silent) return;
    if (timeline.now < this.stalledUntil) {
      timeline.plan(this.stalledUntil - timeline.now, this.processes[to], () => this.#deliver(to));
      return;
    }
    const message = this.#queues[to].shift();
    if (message === undefined || !this.open[to]) return;
    if (message === 'fin') return this.#ended(to, true);
    this.#network.log(this, to, () => `← ${textOf(message)}`);
    this.ends[to]?.receive(message);
  }

  #ended(side: Side, orderly: boolean): void {
    if (!this.open[side]) return;
    this.open[side] = false;
    this.#network.log(this, side, () => 'is ended');
    this.#network.forget(this);
    this.ends[side]?.closed(orderly);
  }
}

export class Network {
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly machines = new Map<string, Machine>();
  readonly wires = new Set<Wire>();
  /** Somebody stands in the middle of each new connection. */
  intercepted = false;
  readonly #random: Random;
  readonly #blocked = new Map<string, number>();
  #count = 0;

  constructor(timeline: Timeline, ledger: Ledger, random: Random) {
    this.timeline = timeline;
    this.ledger = ledger;
    this.#random = random;
  }

  /** @param answer the endpoint of the dialler once TCP is connected; never called when nothing answers (but `refused` is, when a machine says no) */
  dial(from: Process, to: string, role: Role, answer: (wire: Wire) => Endpoint, refused: () => void): void {
    if ((this.#blocked.get(pairOf(from.machine.name, to)) ?? 0) > this.timeline.now) return;
    // The kernel answers, whatever the program does.
    this.timeline.plan(this.latency(), undefined, () => {
      const process = this.machines.get(to)?.process;
      if (!process?.alive) {
        this.after(from, 50, refused);
        return;
      }
      this.#count += 1;
      const wire = new Wire(this, this.#count, role, [from, process]);
      this.wires.add(wire);
      if (!from.alive) wire.close(0);
      this.after(from, 50, () => {
        wire.ends[0] = answer(wire);
      });
      // Nothing comes before the dialler speaks.
      listenerOf(process)?.(wire);
    });
  }

  block(one: string, other: string, ms: number): void {
    const until = this.timeline.now + ms;
    this.#blocked.set(pairOf(one, other), until);
    for (const wire of this.wires) if (wire.joins(one, other)) wire.stalledUntil = Math.max(wire.stalledUntil, until);
  }

  after(process: Process, ms: number, action: () => void): void {
    process.after(this.#random.between(0, ms), action);
  }

  latency(): number {
    return this.#random.chance(0.05) ? this.#random.between(5, 300) : this.#random.between(0.2, 5);
  }

  forget(wire: Wire): void {
    if (!wire.isOpen) this.wires.delete(wire);
  }

  log(wire: Wire, side: Side, text: () => string): void {
    this.ledger.log(wire.processes[side].machine.name, () => `${wire.role} ${wire.number} ${text()}`);
  }
}

const listeners = new WeakMap<Process, (wire: Wire) => void>();
const listenerOf = (process: Process): ((wire: Wire) => void) | undefined => listeners.get(process);

/** From now on connections to the process are accepted. */
export const listen = (process: Process, accept: (wire: Wire) => void): void => {
  listeners.set(process, accept);
};

const pairOf = (one: string, other: string): string => (one < other ? `${one} ${other}` : `${other} ${one}`);
const textOf = (message: Message): string =>
  JSON.stringify(message, (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex').slice(0, 8) : value));
