/** A computer with its disk, and one run of a program on it. */
import { Random } from '../engine/random.ts';
import type { Actor, Task, Timeline } from '../engine/timeline.ts';
import { Disk } from './disk.ts';
import type { Ledger } from './ledger.ts';

export class Machine {
  readonly name: string;
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly disk: Disk;
  /** What its clock on the wall says beside the true time, in milliseconds. */
  wallOffset = 0;
  suspendedUntil = 0;
  process: Process | undefined;
  boots = 0;

  constructor(name: string, seed: string, timeline: Timeline, ledger: Ledger) {
    this.name = name;
    this.timeline = timeline;
    this.ledger = ledger;
    this.random = new Random(seed, name);
    this.disk = new Disk(timeline, ledger, new Random(seed, name, 'disk'));
  }

  boot(): Process {
    this.boots += 1;
    const process = new Process(this);
    this.process = process;
    return process;
  }

  get wall(): number {
    return Math.floor(1_700_000_000_000 + this.timeline.now + this.wallOffset);
  }
}

export class Process implements Actor {
  readonly machine: Machine;
  alive = true;
  #count = 0;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  get suspendedUntil(): number {
    return this.machine.suspendedUntil;
  }

  /** Different for each run: the boot nonce. */
  get nonce(): string {
    return `${this.machine.name}-${this.machine.boots}`;
  }

  /** Numbers that grow within this process. */
  count(): number {
    return (this.#count += 1);
  }

  after(ms: number, action: () => void): Task {
    return this.machine.timeline.plan(ms, this, action);
  }

  log(text: () => string): void {
    this.machine.ledger.log(this.machine.name, text);
  }
}
