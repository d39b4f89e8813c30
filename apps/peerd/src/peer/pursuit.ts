/** Who wants a link with one peer, and for how long: turns wishes into one effort at a time. */
import { backoffMs, PeerdError, type PeerId, shortPeerId } from '@peerd/protocol';
import { TokenBucket } from '@peerd/service';
import { Timers } from '../net/timers.ts';
import { dialable } from './candidates.ts';
import type { Endpoint } from './deps.ts';
import { Effort, type EffortContext } from './effort.ts';
import type { Link } from './ports.ts';

export interface PursuitContext extends Omit<EffortContext, 'onRound' | 'toldDials'> {
  /** Of all peers together that nobody here wants: they were introduced, and will dial us. */
  readonly introducedDials: TokenBucket;
}

interface Waiter {
  resolve(link: Link): void;
  reject(error: unknown): void;
}

/** A link that lasted this long was no failed attempt. */
const stableMs = 10_000;

export class Pursuit {
  readonly #peer: PeerId;
  readonly #context: PursuitContext;
  readonly #waiters = new Set<Waiter>();
  readonly #owners = new Set<string>();
  readonly #timers = new Timers();
  readonly #toldDials: TokenBucket;
  #link: Link | undefined;
  #effort: Effort | undefined;
  /** Somebody ended the link on purpose: `need` counts again after the next act. */
  #suspended = false;
  /** The peer asked for an introduction and got it: for a while we dial too. */
  #expecting = false;
  /** The addresses that came with that. */
  #told: readonly Endpoint[] = [];
  /** Links in a row that broke soon. */
  #broken = 0;

  constructor(peer: PeerId, context: PursuitContext) {
    this.#peer = peer;
    this.#context = context;
    this.#toldDials = new TokenBucket(context.timing.toldDials, performance.now());
  }

  get isWanted(): boolean {
    if (this.#context.deps.policy.isBlocked(this.#peer)) return false;
    return this.#expecting || this.#isWantedHere;
  }

  /** By a person, or by something that has to be done. */
  get #isWantedHere(): boolean {
    return this.#waiters.size > 0 || (this.#owners.size > 0 && !this.#suspended);
  }

  /** Nothing would be lost with this object. */
  get isEmpty(): boolean {
    return this.#waiters.size === 0 && !this.#expecting && this.#owners.size === 0 && this.#link === undefined;
  }

  async connect(signal: AbortSignal): Promise<Link> {
    signal.throwIfAborted();
    this.#suspended = false;
    if (this.#link) return this.#link;
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    const waiter: Waiter = { resolve, reject };
    const onAbort = (): void => reject(this.#givenUp(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiters.add(waiter);
    this.#update(0);
    this.#effort?.wake();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#waiters.delete(waiter);
      this.#update(0);
    }
  }

  need(owner: string): void {
    this.#owners.add(owner);
    this.#suspended = false;
    this.#update(0);
  }

  release(owner: string): void {
    this.#owners.delete(owner);
    this.#update(0);
  }

  /** The peer was introduced to us: dial it too, so that a link comes up when only this direction is open. */
  expect(addresses: readonly Endpoint[], local: boolean, ms: number): void {
    // Also with a link: the peer asks because it has lost it, and we may hear of that a moment later.
    this.#expecting = true;
    this.#told = dialable(addresses, local);
    this.#timers.set('expecting', ms, () => {
      this.#expecting = false;
      this.#update(0);
    });
    if (this.#effort) this.#effort.told(this.#told);
    else this.#update(0);
  }

  /** No link and no dialling until the next wish. */
  suspend(reason: PeerdError): void {
    this.#suspended = true;
    this.#stopExpecting();
    for (const waiter of this.#waiters) waiter.reject(reason);
    this.#update(0, reason);
  }

  /** What suspended it is over: whoever needs the peer gets it again. */
  resume(): void {
    this.#suspended = false;
    this.#update(0);
  }

  linkUp(link: Link): void {
    this.#link = link;
    this.#suspended = false;
    this.#stopExpecting();
    for (const waiter of this.#waiters) waiter.resolve(link);
    this.#update(0);
  }

  linkDown(link: Link, reason: PeerdError): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    if (reason.code === 'disconnected') this.#suspended = true;
    this.#broken = Date.now() - link.since < stableMs ? this.#broken + 1 : 0;
    const { deps, timing } = this.#context;
    // At least a moment: the other side may have dialled already.
    this.#update(1 + backoffMs(timing.redial, this.#broken, (deps.random ?? Math.random)()));
  }

  stop(reason: PeerdError): void {
    this.#owners.clear();
    this.suspend(reason);
  }

  #stopExpecting(): void {
    this.#expecting = false;
    this.#told = [];
    this.#timers.clearAll();
  }

  /** There is an effort exactly while a link is wanted and missing. */
  #update(delayMs: number, reason = new PeerdError('cancelled', 'nobody wants the link any more')): void {
    const wanted = this.isWanted && !this.#link;
    if (wanted && !this.#effort) {
      this.#effort = new Effort(this.#peer, { ...this.#context, toldDials: () => (this.#isWantedHere ? this.#toldDials : this.#context.introducedDials), onRound: () => this.#onRound() }, delayMs);
      if (this.#expecting) this.#effort.told(this.#told);
    } else if (!wanted) {
      this.#effort?.stop(reason);
      this.#effort = undefined;
    }
  }

  /** A person should not wait for the deadline when the answer stands. Whoever only needs the peer goes on. */
  #onRound(): void {
    const effort = this.#effort;
    if (!effort?.isHopeless) return;
    for (const waiter of this.#waiters) waiter.reject(effort.failures.error());
  }

  /** What the caller gave as reason, unless it only says that the time is over. */
  #givenUp(reason: unknown): unknown {
    if (reason instanceof PeerdError && reason.code !== 'peer_unreachable') return reason;
    return this.#effort?.failures.error() ?? new PeerdError('peer_unreachable', `no link to ${shortPeerId(this.#peer)} came up`);
  }
}
