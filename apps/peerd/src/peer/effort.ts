/**
 * The effort to link with one peer: two loops that run until a link is up, however it came, or nobody wants it any more.
 *
 * 1. The introduction loop asks for an introduction as soon as a rendezvous lists the peer, and again when it lapses.
 * 2. The dial loop races the candidates in rounds: known addresses at once, those of the roster when the peer was asked.
 */
import { backoffMs, formatAddress, peerAlpn, PeerdError, type PeerId } from '@peerd/protocol';
import { type Channel, dial, greet, type Greeted, type TokenBucket } from '@peerd/service';
import { orAborted } from '../net/scope.ts';
import type { Admission } from './admission.ts';
import { Bell } from './bell.ts';
import { candidatesOf, dialable } from './candidates.ts';
import type { Endpoint, LinksDeps } from './deps.ts';
import { race } from './dial-race.ts';
import { Failures } from './failures.ts';
import type { LinkMetrics } from './metrics.ts';
import type { LinkTiming } from './timing.ts';

export interface EffortContext {
  readonly deps: LinksDeps;
  readonly timing: LinkTiming;
  readonly metrics: LinkMetrics;
  readonly admission: Admission;
  /** Of addresses that we were told. Asked at each dial: a peer that was only introduced may be wanted meanwhile. */
  readonly toldDials: () => TokenBucket;
  readonly adopt: (channel: Channel, greeted: Greeted) => void;
  /** A round is over without a link. */
  readonly onRound: () => void;
}

export class Effort {
  readonly failures: Failures;
  readonly #peer: PeerId;
  readonly #context: EffortContext;
  readonly #controller = new AbortController();
  readonly #dialBell = new Bell();
  readonly #introductionBell = new Bell();
  readonly #unsubscribe: () => void;
  #racing = false;
  #introducing = false;
  /** Addresses that came with an introduction, ours or theirs. */
  #told: readonly Endpoint[] = [];
  #listed = '';

  /** @param delayMs before the first round, so that both sides of a broken link don't come back at the same moment */
  constructor(peer: PeerId, context: EffortContext, delayMs: number) {
    this.#peer = peer;
    this.#context = context;
    this.failures = new Failures(peer);
    this.#unsubscribe = context.deps.rendezvous.roster.onChange(() => this.#rosterChanged());
    this.#listed = this.#listing();
    void this.#loop(() => this.#introduce(delayMs));
    void this.#loop(() => this.#dialRounds(delayMs));
  }

  /** Nothing is under way that could still end well, and what was learnt will not change by itself. */
  get isHopeless(): boolean {
    if (this.#racing || this.#introducing) return false;
    return this.failures.isRefusal || (this.failures.isWrongKey && this.#listed === '');
  }

  /** Addresses from an introduction that the other side asked for. */
  told(addresses: readonly Endpoint[]): void {
    this.#told = addresses;
    this.wake();
  }

  wake(): void {
    this.#introductionBell.ring();
    this.#dialBell.ring();
  }

  stop(reason: PeerdError): void {
    this.#unsubscribe();
    this.#controller.abort(reason);
  }

  /** Ends with `stop` only; anything else would be a defect, and is shown. */
  async #loop(run: () => Promise<never>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (this.#controller.signal.aborted) return;
      this.#context.deps.logger.error({ peer: this.#peer, err: error }, 'the effort to link with a peer failed');
    }
  }

  async #introduce(delayMs: number): Promise<never> {
    const { deps, admission, timing } = this.#context;
    const { signal } = this.#controller;
    if (delayMs > 0) await this.#introductionBell.wait(delayMs, signal);
    for (let attempt = 0; ; attempt += 1) {
      const goodFor = admission.introducedFor(this.#peer);
      if (goodFor > 0 || !deps.rendezvous.roster.get(this.#peer)) {
        // A little later than it lapses. Whoever is not listed rings the bell when it is.
        if (await this.#introductionBell.wait(goodFor > 0 ? goodFor + 1 : Infinity, signal)) attempt = -1;
        continue;
      }
      let pause = backoffMs(timing.redial, attempt, this.#random());
      this.#introducing = true;
      try {
        this.#told = (await deps.rendezvous.introduce(this.#peer, signal)).addresses;
        this.failures.introduction = undefined;
        admission.introduced(this.#peer);
        pause = 0;
      } catch (error) {
        signal.throwIfAborted();
        this.failures.introduction = error instanceof PeerdError ? error : new PeerdError('internal', 'the introduction failed', { cause: error });
        if (['introduction_refused', 'introduction_pending'].includes(this.failures.introduction.code)) pause = timing.refusedAgainMs;
      } finally {
        this.#introducing = false;
      }
      this.#dialBell.ring();
      this.#context.onRound();
      if (pause > 0 && (await this.#introductionBell.wait(pause, signal))) attempt = -1;
    }
  }

  async #dialRounds(delayMs: number): Promise<never> {
    const { timing } = this.#context;
    const { signal } = this.#controller;
    if (delayMs > 0) await this.#dialBell.wait(delayMs, signal);
    for (let round = 0; ; round += 1) {
      await this.#dialRound(signal);
      this.#context.onRound();
      if (await this.#dialBell.wait(backoffMs(timing.redial, round, this.#random()), signal)) round = -1;
    }
  }

  async #dialRound(signal: AbortSignal): Promise<void> {
    const { adopt, admission, timing } = this.#context;
    const addresses = this.#candidates();
    this.failures.keep(addresses.map(formatAddress));
    if (addresses.length === 0) return;
    this.#racing = true;
    try {
      const won = await race({
        addresses,
        attempt: (address, attemptSignal) => this.#attempt(address, attemptSignal),
        discard: ({ channel }) => channel.destroy(new PeerdError('duplicate_link', 'another address was quicker')),
        staggerMs: timing.staggerMs,
        signal,
      });
      // The peer has forgotten an introduction that we still count on: ask again.
      if (!won && this.failures.has('not_introduced') && admission.introducedFor(this.#peer) > 0) {
        admission.forget(this.#peer);
        this.#introductionBell.ring();
      }
      if (!won) return;
      if (signal.aborted) return won.channel.destroy(signal.reason as PeerdError);
      adopt(won.channel, won.greeted);
      // It becomes the link, and this effort ends with it, or it is closed.
      await orAborted(ended(won.channel.signal), signal);
    } finally {
      this.#racing = false;
    }
  }

  async #attempt(address: Endpoint, signal: AbortSignal): Promise<{ channel: Channel; greeted: Greeted }> {
    const { deps, metrics, toldDials } = this.#context;
    try {
      if (!this.#isKnown(address) && !toldDials().take(performance.now())) throw new PeerdError('rate_limited', 'too many addresses that others told were dialled just now');
      const channel = await dial(deps.identity, { ...address, protocol: peerAlpn, expected: this.#peer }, signal);
      const greeted = await greet(channel, { ...deps.hello, role: 'link' }, signal);
      metrics.dialled('up');
      return { channel, greeted };
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = this.#asFailure(error);
      metrics.dialled(failure.code);
      this.failures.dial(formatAddress(address), failure);
      throw failure;
    }
  }

  /** Private addresses are not unique: behind one of another peer may stand ourselves, which is no reason for alarm. */
  #asFailure(error: unknown): PeerdError {
    if (!(error instanceof PeerdError)) return new PeerdError('internal', 'a dial failed', { cause: error });
    if (error.code === 'wrong_key' && error.details?.['actual'] === this.#context.deps.identity.id) return new PeerdError('peer_unreachable', 'is an address of this machine too', { cause: error });
    return error;
  }

  #candidates(): Endpoint[] {
    const { deps, admission } = this.#context;
    const listed = deps.rendezvous.roster.get(this.#peer);
    // Before it was asked, a peer that does not know us would only refuse.
    const asked = admission.introducedFor(this.#peer) > 0 || this.failures.introduction !== undefined;
    const roster = listed && asked ? dialable(listed.addresses, listed.local) : [];
    return candidatesOf(deps.addressBook.knownAddresses(this.#peer), [...this.#told, ...roster]);
  }

  #isKnown(address: Endpoint): boolean {
    const known = this.#context.deps.addressBook.knownAddresses(this.#peer);
    return known.some(({ host, port }) => host === address.host && port === address.port);
  }

  #rosterChanged(): void {
    const listing = this.#listing();
    if (listing === this.#listed) return;
    this.#listed = listing;
    if (listing !== '') this.wake();
  }

  #listing(): string {
    const listed = this.#context.deps.rendezvous.roster.get(this.#peer);
    return listed ? JSON.stringify(listed.addresses) : '';
  }

  #random(): number {
    return (this.#context.deps.random ?? Math.random)();
  }
}

const ended = async (signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
};
