/** Goes after one peer as long as a link is wanted: introductions and dials, as apps/peerd/src/peer/{pursuit,effort}.ts do. */
import { backoffMs, introductionValidMs, type PeerId } from '@peerd/protocol';
import type { Process } from '../world/machine.ts';
import type { Network } from '../world/network.ts';
import { dialAndGreet } from './greet.ts';
import type { RendezvousClient } from './rendezvous-client.ts';
import type { Slot } from './slot.ts';

const redial = { firstMs: 250, maxMs: 5_000 };
const askedDialMs = 20_000;

export interface PursuitParts {
  readonly process: Process;
  readonly network: Network;
  readonly slot: Slot;
  readonly rendezvous: RendezvousClient;
  readonly needed: () => boolean;
}

export class Pursuit {
  readonly #peer: PeerId;
  readonly #parts: PursuitParts;
  #introducedUntil = 0;
  #expectingUntil = 0;
  #asking = false;
  #dialling = false;
  #planned = false;
  #rounds = 0;

  constructor(peer: PeerId, parts: PursuitParts) {
    this.#peer = peer;
    this.#parts = parts;
  }

  get isWanted(): boolean {
    return this.#parts.needed() || this.#expectingUntil > this.#now;
  }

  get isIntroduced(): boolean {
    return this.#introducedUntil > this.#now;
  }

  get #now(): number {
    return this.#parts.process.machine.timeline.now;
  }

  /** The peer asked for an introduction, and got it: we dial too. */
  expect(): void {
    this.#introducedUntil = this.#now + introductionValidMs;
    this.#expectingUntil = this.#now + askedDialMs;
    this.wake();
  }

  /** A person wants a link. */
  want(): void {
    this.#expectingUntil = this.#now + askedDialMs;
    this.wake();
  }

  linkUp(): void {
    this.#rounds = 0;
    this.#expectingUntil = 0;
  }

  /** Something has changed: another round, if a link is wanted and missing. */
  wake(): void {
    if (this.#planned || this.#parts.slot.link || !this.isWanted) return;
    this.#planned = true;
    const { process } = this.#parts;
    process.after(1 + backoffMs(redial, this.#rounds, process.machine.random.next()), () => {
      this.#planned = false;
      if (this.#parts.slot.link || !this.isWanted) return;
      this.#rounds += 1;
      this.#introduce();
      this.#dial();
    });
  }

  /** Connections beside those that there are, as two that dial at the same moment make them. */
  dialAgain(count: number): void {
    for (let made = 0; made < count; made += 1) this.#attempt(() => {});
  }

  #introduce(): void {
    const { rendezvous } = this.#parts;
    if (this.#asking || this.isIntroduced || !rendezvous.roster.has(this.#peer)) return;
    this.#asking = true;
    rendezvous.introduce(this.#peer, (verdict) => {
      this.#asking = false;
      if (verdict === 'accepted') {
        this.#introducedUntil = this.#now + introductionValidMs;
        this.#parts.process.machine.ledger.counts.introductions += 1;
        this.#rounds = 0;
      }
      this.wake();
    });
  }

  #dial(): void {
    const { process, slot } = this.#parts;
    // Before it was asked, a peer that does not know us would only refuse.
    if (this.#dialling || !slot.isEmpty || !(process.machine.disk.known.has(this.#peer) || this.isIntroduced)) return this.wake();
    this.#dialling = true;
    this.#attempt(() => {
      this.#dialling = false;
      this.wake();
    });
  }

  #attempt(ended: () => void): void {
    const { process, network, slot } = this.#parts;
    dialAndGreet({
      network, process, to: this.#peer, role: 'link',
      greeted: (wire, { nonce }) => {
        const endpoint = slot.adopt(wire, 0, nonce);
        ended();
        return endpoint;
      },
      failed: (code) => {
        // The peer has forgotten an introduction that we still count on.
        if (code === 'not_introduced') this.#introducedUntil = 0;
        ended();
      },
    });
  }
}
