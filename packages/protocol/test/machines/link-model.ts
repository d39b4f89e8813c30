/**
 * Two link machines and the connections between them, without sockets or clocks: messages wait in queues until the test
 * delivers them, timers fire when the test says so.
 */
import { absentLink, type LinkEffect, type LinkEvent, type LinkState, type LinkTimer, PeerdError, stepLink } from '../../src/index.ts';

type SideName = 'low' | 'high';
type Message =
  | { kind: 'hello'; nonce: string }
  | { kind: 'select'; order: number }
  | { kind: 'ping' | 'pong'; seq: number }
  | { kind: 'data' }
  | { kind: 'close' };

interface Wire {
  readonly number: number;
  readonly dialler: SideName;
  /** Nothing passes any more, and nobody is told. */
  dead: boolean;
  /** What waits to be delivered to each side. */
  readonly queue: Record<SideName, Message[]>;
  /** Which ends are open, and whether hello came in. */
  readonly open: Record<SideName, boolean>;
  readonly greeted: Record<SideName, boolean>;
  selected: boolean;
}

interface Side {
  readonly name: SideName;
  state: LinkState;
  nonce: string;
  starts: number;
  timers: Map<string, { timer: LinkTimer; connection: number }>;
  /** What users of the link have been told. */
  linked: number | undefined;
}

const other = (side: SideName): SideName => (side === 'low' ? 'high' : 'low');
const lost = new PeerdError('link_lost', 'gone');

export class LinkModel {
  readonly wires: Wire[] = [];
  readonly violations: string[] = [];
  readonly sides: Record<SideName, Side> = { low: newSide('low'), high: newSide('high') };
  #order = 0;

  dial(by: SideName): void {
    const wire: Wire = {
      number: this.wires.length,
      dialler: by,
      dead: false,
      queue: { low: [], high: [] },
      open: { low: true, high: true },
      greeted: { low: false, high: false },
      selected: false,
    };
    this.wires.push(wire);
    wire.queue[other(by)].push({ kind: 'hello', nonce: this.sides[by].nonce });
  }

  /** Delivers the next message of a wire to one side. `false`: there was none. */
  deliver(wire: Wire, to: SideName): boolean {
    const message = wire.queue[to].shift();
    if (!message) return false;
    if (!wire.open[to]) return true;
    const side = this.sides[to];
    const connection = wire.number;
    if (wire.greeted[to]) this.#event(side, { kind: 'heard', connection });
    switch (message.kind) {
      case 'hello':
        if (wire.dialler !== to) this.#send(wire, to, { kind: 'hello', nonce: side.nonce });
        wire.greeted[to] = true;
        this.#event(side, { kind: 'opened', connection, nonce: message.nonce });
        break;
      case 'select':
        this.#event(side, { kind: 'selected', connection, order: message.order });
        break;
      case 'ping':
        this.#send(wire, to, { kind: 'pong', seq: message.seq });
        break;
      case 'pong':
        this.#event(side, { kind: 'pong', connection, seq: message.seq });
        break;
      case 'data': {
        const current = side.state.phase === 'up' ? side.state.current : undefined;
        if (current !== connection && wire.open[other(to)]) this.violations.push(`${to} got data on ${connection} while it uses ${current ?? 'none'}`);
        break;
      }
      case 'close':
        this.#gone(side, wire);
    }
    return true;
  }

  /** Both users write on the link they see. */
  write(by: SideName): void {
    const { linked } = this.sides[by];
    const wire = linked === undefined ? undefined : this.wires[linked];
    if (wire) this.#send(wire, by, { kind: 'data' });
  }

  fire(side: Side, key: string): void {
    const timer = side.timers.get(key);
    if (!timer) return;
    side.timers.delete(key);
    this.#event(side, { kind: 'timer', ...timer });
  }

  cut(wire: Wire): void {
    wire.dead = true;
    wire.queue.low = [];
    wire.queue.high = [];
  }

  restart(name: SideName): void {
    const { starts } = this.sides[name];
    for (const wire of this.wires) {
      if (!wire.open[name]) continue;
      wire.open[name] = false;
      this.#send(wire, name, { kind: 'close' }, true);
    }
    this.sides[name] = newSide(name, starts + 1);
  }

  /** Nobody dials any more; everything that is on its way arrives, and time passes. */
  settle(): void {
    for (let round = 0; round < 200; round += 1) {
      let moved = false;
      for (const wire of this.wires) for (const to of ['low', 'high'] as const) while (this.deliver(wire, to)) moved = true;
      if (moved) continue;
      const due = this.#dueTimer();
      if (!due) return;
      this.fire(due.side, due.key);
    }
    this.violations.push('does not settle');
  }

  /** A timer whose answer can't come any more: those of dead wires, and `select` where nobody selects. */
  #dueTimer(): { side: Side; key: string } | undefined {
    for (const side of [this.sides.low, this.sides.high]) {
      for (const [key, { timer, connection }] of side.timers) {
        const wire = this.wires[connection];
        if (wire?.dead || !wire?.open[other(side.name)] || timer === 'select') return { side, key };
      }
    }
    return undefined;
  }

  #event(side: Side, event: LinkEvent): void {
    const { state, effects } = stepLink(side.state, event);
    side.state = state;
    for (const effect of effects) this.#effect(side, effect);
    if (state.phase === 'up' ? side.linked !== state.current : side.linked !== undefined)
      this.violations.push(`${side.name} told its users ${side.linked}, but is ${JSON.stringify(state)}`);
  }

  #effect(side: Side, effect: LinkEffect): void {
    const wire = this.wires[effect.connection];
    if (!wire) throw new Error('no such connection');
    switch (effect.kind) {
      case 'select':
        wire.selected = true;
        this.#order += 1;
        return this.#send(wire, side.name, { kind: 'select', order: this.#order });
      case 'ping':
        return this.#send(wire, side.name, { kind: 'ping', seq: effect.seq });
      case 'close':
        if (!wire.open[side.name]) this.violations.push(`${side.name} closes ${wire.number} again`);
        wire.open[side.name] = false;
        this.#stopTimers(side, wire);
        return this.#send(wire, side.name, { kind: 'close' }, true);
      case 'up':
        if (side.linked !== undefined) this.violations.push(`${side.name} has two links`);
        if (!wire.open[side.name]) this.violations.push(`${side.name} uses ${wire.number}, which is closed`);
        if (!wire.selected) this.violations.push(`${side.name} uses ${wire.number}, which was not selected`);
        side.linked = wire.number;
        return undefined;
      case 'down':
        if (side.linked !== wire.number) this.violations.push(`${side.name} ends ${wire.number}, which is not its link`);
        side.linked = undefined;
        return undefined;
      case 'start':
        side.timers.set(`${effect.timer} ${effect.connection}`, { timer: effect.timer, connection: effect.connection });
        return undefined;
      case 'stop':
        side.timers.delete(`${effect.timer} ${effect.connection}`);
    }
    return undefined;
  }

  #gone(side: Side, wire: Wire): void {
    wire.open[side.name] = false;
    this.#stopTimers(side, wire);
    if (wire.greeted[side.name]) this.#event(side, { kind: 'closed', connection: wire.number, reason: lost });
  }

  #stopTimers(side: Side, wire: Wire): void {
    for (const [key, { connection }] of side.timers) if (connection === wire.number) side.timers.delete(key);
  }

  #send(wire: Wire, from: SideName, message: Message, closed = false): void {
    if (!wire.dead && (closed || wire.open[from])) wire.queue[other(from)].push(message);
  }
}

const newSide = (name: SideName, starts = 0): Side => ({
  name,
  state: absentLink(name === 'low'),
  nonce: `${name}-${starts}`,
  starts,
  timers: new Map(),
  linked: undefined,
});
