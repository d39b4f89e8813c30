/** Whose inbound connection is welcome. */
import { PeerdError, type PeerId } from '@peerd/protocol';
import type { LinkPolicy } from './ports.ts';

/** Introductions that are remembered; over that the oldest is forgotten. */
const maxRemembered = 4_096;

export class Admission {
  readonly #policy: LinkPolicy;
  readonly #validMs: number;
  /** We look for this peer ourselves right now, or are linked with it. */
  readonly #isWanted: (peer: PeerId) => boolean;
  /** When an acknowledged introduction lapses, whichever side asked. Insertion order is age. */
  readonly #introduced = new Map<PeerId, number>();

  constructor(policy: LinkPolicy, validMs: number, isWanted: (peer: PeerId) => boolean) {
    this.#policy = policy;
    this.#validMs = validMs;
    this.#isWanted = isWanted;
  }

  introduced(peer: PeerId): void {
    this.#introduced.delete(peer);
    this.#introduced.set(peer, performance.now() + this.#validMs);
    for (const oldest of this.#introduced.keys()) {
      if (this.#introduced.size <= maxRemembered) break;
      this.#introduced.delete(oldest);
    }
  }

  /** The peer does not remember the introduction, so it is worth nothing. */
  forget(peer: PeerId): void {
    this.#introduced.delete(peer);
  }

  /** Milliseconds for which the introduction is still good; 0 without one. */
  introducedFor(peer: PeerId): number {
    const left = (this.#introduced.get(peer) ?? 0) - performance.now();
    if (left > 0) return left;
    this.#introduced.delete(peer);
    return 0;
  }

  /** Why the peer is not let in; `undefined` if it is welcome. */
  refusal(peer: PeerId): PeerdError | undefined {
    // Who is blocked is told what every stranger is told.
    const welcome = !this.#policy.isBlocked(peer) && (this.#policy.isContact(peer) || this.introducedFor(peer) > 0 || this.#policy.hasUnfinishedTransfer(peer) || this.#isWanted(peer));
    return welcome ? undefined : new PeerdError('not_introduced', 'links are for contacts and introduced peers');
  }
}
