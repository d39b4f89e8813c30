/** Tokens of data connections that we expect: 128 random bits, single use, short-lived, for one TLS key. */
import { randomBytes } from 'node:crypto';
import { type PeerId, tokenBytes } from '@peerd/protocol';
import { Timers } from '../net/timers.ts';

/** Tokens of one peer that may be open. */
const maxOpen = 16;

export interface Expected<T> {
  readonly peer: PeerId;
  readonly value: T;
}

export class Tokens<T> {
  readonly #validMs: number;
  readonly #open = new Map<string, Expected<T>>();
  readonly #timers = new Timers();

  constructor(validMs: number) {
    this.#validMs = validMs;
  }

  /** `undefined`: this peer has too many open ones. `expired` is called unless the token is redeemed or revoked before. */
  issue(peer: PeerId, value: T, expired?: () => void): Buffer | undefined {
    if (this.#open.values().reduce((count, entry) => count + (entry.peer === peer ? 1 : 0), 0) >= maxOpen) return undefined;
    const token = randomBytes(tokenBytes);
    const key = token.toString('hex');
    this.#open.set(key, { peer, value });
    this.#timers.set(key, this.#validMs, () => {
      this.#open.delete(key);
      expired?.();
    });
    return token;
  }

  /** `undefined`: unknown, used, expired, or not this peer's. */
  redeem(token: Uint8Array, peer: PeerId): T | undefined {
    const key = Buffer.from(token).toString('hex');
    const entry = this.#open.get(key);
    if (entry?.peer !== peer) return undefined;
    this.revoke(token);
    return entry.value;
  }

  revoke(token: Uint8Array): void {
    const key = Buffer.from(token).toString('hex');
    this.#open.delete(key);
    this.#timers.clear(key);
  }

  revokeAll(peer?: PeerId): void {
    for (const [key, entry] of this.#open) if (peer === undefined || entry.peer === peer) this.revoke(Buffer.from(key, 'hex'));
  }

  get size(): number {
    return this.#open.size;
  }
}
