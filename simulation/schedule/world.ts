/** The machines of one schedule, what happens to them, and what must be true of them. */
import { Random } from '../engine/random.ts';
import { Timeline } from '../engine/timeline.ts';
import { Peer } from '../peer/peer.ts';
import { rendezvousName } from '../peer/rendezvous-client.ts';
import type { Phone } from '../peer/verifying.ts';
import { RendezvousServer } from '../rendezvous/server.ts';
import { Ledger } from '../world/ledger.ts';
import { Machine } from '../world/machine.ts';
import { Network, type Side } from '../world/network.ts';
import type { Event, Schedule } from './schedule.ts';

export class World {
  readonly timeline = new Timeline();
  readonly ledger: Ledger;
  readonly network: Network;
  readonly machines = new Map<string, Machine>();
  readonly peers = new Map<string, Peer>();
  rendezvous: RendezvousServer | undefined;
  /** Transfers that their sender, or their receiver, gave up. */
  readonly cancelled = new Map<string, 'sender' | 'receiver'>();
  /** When the last disturbance is over. */
  calmAt = 0;
  readonly #schedule: Schedule;
  readonly #seed: string;
  readonly #phone: Phone = { codes: new Map(), saidYes: new Set() };

  constructor(schedule: Schedule, trace: ((line: string) => void) | undefined) {
    this.#schedule = schedule;
    this.#seed = `${schedule.seed}/${schedule.run}`;
    this.ledger = new Ledger(this.timeline, trace);
    this.network = new Network(this.timeline, this.ledger, new Random(this.#seed, 'network'));
    for (const name of [rendezvousName, ...schedule.peers]) {
      const machine = new Machine(name, this.#seed, this.timeline, this.ledger);
      this.machines.set(name, machine);
      this.network.machines.set(name, machine);
      this.#boot(name);
    }
  }

  /** Whoever wants to send waits for the machine, and tries again as long as it is not queued. */
  send(send: Schedule['sends'][number]): void {
    const { id, from, to, chunks } = send;
    if (this.#machine(from).disk.rows.has(`send ${id}`)) return;
    const peer = this.peers.get(from);
    if (peer?.process.alive) peer.send(id, to, chunks);
    this.#later(2_000, () => this.send(send));
  }

  happen(event: Event): void {
    const { kind, who, other, ms } = event;
    this.ledger.log('world', () => `${kind} ${who} ${other} ${ms} ms`);
    this.calmAt = Math.max(this.calmAt, this.timeline.now + ms);
    const machine = this.#machine(who);
    const wires = [...this.network.wires].filter((wire) => wire.joins(who, other) || wire.joins(who, rendezvousName));
    switch (kind) {
      case 'cut':
        return wires.forEach((wire) => wire.cut());
      case 'cut-data':
        return wires.filter(({ role }) => role === 'data').forEach((wire) => wire.cut());
      case 'silent':
        return wires.forEach((wire) => wire.silence());
      case 'silent-data':
        return wires.filter(({ role }) => role === 'data').forEach((wire) => wire.silence());
      case 'silent-one':
        return wires.find((wire) => wire.role === 'link')?.silence();
      case 'stall':
        for (const wire of wires) wire.stalledUntil = Math.max(wire.stalledUntil, this.timeline.now + ms);
        return undefined;
      case 'partition':
        return this.network.block(who, other, ms);
      case 'kill':
        return this.#crash(who, false, ms);
      case 'power':
        return this.#crash(who, true, ms);
      case 'rendezvous-kill':
        return this.#crash(rendezvousName, false, ms);
      case 'suspend':
        machine.suspendedUntil = Math.max(machine.suspendedUntil, this.timeline.now + ms);
        return undefined;
      case 'rendezvous-suspend': {
        const rendezvous = this.#machine(rendezvousName);
        rendezvous.suspendedUntil = Math.max(rendezvous.suspendedUntil, this.timeline.now + ms);
        return undefined;
      }
      case 'wall-clock':
        machine.wallOffset += ms % 2 === 0 ? 400 * ms : -400 * ms;
        this.#machine(rendezvousName).wallOffset += ms % 3 === 0 ? 400 * ms : -400 * ms;
        return undefined;
      case 'no-space':
      case 'io-error':
        machine.disk.failing = { code: kind === 'no-space' ? 'no_space' : 'io_error', until: this.timeline.now + ms };
        return undefined;
      case 'intercept':
        this.network.intercepted = true;
        return this.#later(ms, () => (this.network.intercepted = false));
      default:
        return this.#act(event);
    }
  }

  /** Persons let go of everything that they hold. */
  resumeAll(): void {
    for (const { process, transfers } of this.peers.values()) {
      if (!process.alive) continue;
      for (const transfer of transfers.outgoing.values()) if (transfer.state.pausedHere) transfer.report({ type: 'local-resume' });
      for (const transfer of transfers.incoming.values()) if (transfer.state.pausedHere) transfer.report({ type: 'local-resume' });
    }
  }

  /** A link, although nobody needs one: whoever ended a transfer without one tells it then. */
  connectUntold(): void {
    for (const peer of this.peers.values())
      for (const { row } of [...peer.transfers.outgoing.values(), ...peer.transfers.incoming.values()]) if (peer.process.alive && row.untold) peer.connect(row.peer);
  }

  #act({ kind, who, other, ms }: Event): void {
    const peer = this.peers.get(who);
    if (!peer?.process.alive) return undefined;
    switch (kind) {
      case 'verify':
        return peer.verify(other);
      case 'disconnect':
        return peer.disconnect(other);
      case 'dial-again':
        return peer.dialAgain(other, 1 + (ms % 6));
      case 'cancel': {
        const sent = [...peer.transfers.outgoing.values()].find(({ row }) => row.peer === other);
        const received = [...peer.transfers.incoming.values()].find(({ row }) => row.peer === other);
        const end = { code: 'cancelled', message: 'by a person' };
        if (sent) {
          if (sent.state.error === undefined && sent.state.state !== 'done') this.cancelled.set(sent.row.id, 'sender');
          return sent.report({ type: 'local-cancel', end });
        }
        if (received && !this.cancelled.has(received.row.id)) this.cancelled.set(received.row.id, 'receiver');
        return received?.report({ type: 'local-cancel', end });
      }
      default: {
        const transfers = [...peer.transfers.outgoing.values(), ...peer.transfers.incoming.values()].filter(({ row }) => row.peer === other);
        for (const transfer of transfers) transfer.report({ type: 'local-pause' });
        peer.process.after(ms, () => {
          for (const transfer of transfers) transfer.report({ type: 'local-resume' });
        });
      }
    }
    return undefined;
  }

  #boot(name: string): void {
    const process = this.#machine(name).boot();
    if (name === rendezvousName) {
      this.rendezvous = new RendezvousServer(process);
      return;
    }
    const habits = {
      answerTo: (transfer: string) => {
        const random = new Random(this.#seed, 'answer', transfer);
        return { ms: random.pick([0, 5, 200, 4_000]), rejects: random.chance(0.04) };
      },
    };
    this.peers.set(name, new Peer(process, { network: this.network, habits, phone: this.#phone, leaves: this.#schedule.leaving.includes(name) }));
  }

  #crash(name: string, power: boolean, ms: number): void {
    const machine = this.#machine(name);
    const { process, random } = machine;
    if (!process?.alive) return;
    process.alive = false;
    this.ledger.counts.crashes += 1;
    machine.suspendedUntil = 0;
    if (name === rendezvousName) this.rendezvous = undefined;
    for (const wire of this.network.wires)
      for (const side of [0, 1] as const satisfies Side[]) if (wire.processes[side] === process) wire.abandon(side, power, (queued) => random.below(queued + 1));
    machine.disk.crash(power);
    this.#later(ms, () => this.#boot(name));
  }

  #later(ms: number, action: () => void): void {
    this.timeline.plan(ms, undefined, action);
  }

  #machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (!machine) throw new RangeError(`there is no ${name}`);
    return machine;
  }
}
