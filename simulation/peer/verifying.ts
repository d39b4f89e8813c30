/** Comparing codes over one link: runs the verification machine. Persons say yes when they see the same code. */
import { idleVerification, stepVerification, type VerificationEvent, type VerificationState } from '@peerd/protocol';
import type { Random } from '../engine/random.ts';
import type { Process } from '../world/machine.ts';
import type { Link } from './link.ts';

/** What became of the comparisons of a pair of processes; shared by both, as the phone is. */
export interface Phone {
  /** By connection and name: the code that is shown there. */
  readonly codes: Map<string, string>;
  readonly saidYes: Set<string>;
}

export class Verifying {
  readonly #process: Process;
  readonly #phone: Phone;
  readonly #random: Random;
  #link: Link | undefined;
  #state: VerificationState = idleVerification;

  constructor(process: Process, phone: Phone) {
    this.#process = process;
    this.#phone = phone;
    this.#random = process.machine.random;
  }

  linked(link: Link): void {
    this.#link = link;
  }

  unlinked(): void {
    this.step({ kind: 'lost' });
    this.#link = undefined;
  }

  begin(): void {
    if (!this.#link) return;
    this.step({ kind: 'start', nonce: Buffer.from(Array.from({ length: 32 }, () => this.#random.below(256))) });
    this.#process.after(120_000, () => this.step({ kind: 'stop', end: 'timeout' }));
  }

  step(event: VerificationEvent): void {
    const link = this.#link;
    if (!link) return;
    const { machine } = this.#process;
    const keyingMaterial = Buffer.from(`${link.wire.keying[link.side]}`);
    const { state, effects } = stepVerification(this.#state, event, { self: machine.name, peer: link.peer, keyingMaterial });
    this.#state = state;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          if (link.alive) link.send({ kind: 'verify', message: effect.message });
          break;
        case 'code':
          this.#phone.codes.set(`${link.wire.number} ${machine.name}`, effect.code);
          this.#process.after(this.#random.between(500, 5_000), () => this.#compare(link, effect.code));
          break;
        case 'ended':
          if (effect.end !== 'verified') break;
          machine.ledger.counts.verified += 1;
          machine.ledger.check([link.peer, machine.name].every((name) => this.#phone.saidYes.has(yesOf(link, name))), 'verified means that both said yes', () => `${machine.name} verified ${link.peer}`);
          break;
        case 'asked':
          // The other side's person waits: ours does it too, most of the time.
          if (effect.waiting && this.#random.chance(0.8)) this.#process.after(this.#random.between(100, 3_000), () => this.begin());
      }
    }
  }

  /** The persons read their codes to each other. */
  #compare(link: Link, code: string): void {
    if (this.#link !== link || this.#state.phase !== 'comparing' || this.#state.code !== code) return;
    const { name, ledger } = this.#process.machine;
    const theirs = this.#phone.codes.get(`${link.wire.number} ${link.peer}`);
    if (theirs === undefined) return void this.#process.after(1_000, () => this.#compare(link, code));
    const { keying } = link.wire;
    if (keying[0] !== keying[1]) ledger.check(theirs !== code, 'somebody in the middle is seen', () => code);
    // Some say yes without looking: the no of the other one counts.
    const same = theirs === code || this.#random.chance(0.2);
    if (same) this.#phone.saidYes.add(yesOf(link, name));
    this.step({ kind: 'answer', same });
  }
}

const yesOf = (link: Link, name: string): string => `${link.wire.number} ${name}`;
