/**
 * All open introductions: one machine each (protocol/machines/introduction.ts), with the bounds around them. Pure: no
 * sockets, no clock. Open introductions end in the order in which they began when nobody answers, so the first one has
 * the next deadline.
 */
import { type IntroductionEvent, type IntroductionResult, type IntroductionState, introductionStep, introductionTimeoutMs, isIntroductionOver } from '@peerd/protocol';
import { type Rate, TokenBucket } from '@peerd/service';
import type { ClientId } from '../client-id.ts';

export interface IntroductionLimits {
  readonly openPerAsker: number;
  readonly openPerTarget: number;
  readonly requests: Rate;
}

export type IntroductionMove =
  | { readonly kind: 'forward'; readonly target: ClientId; readonly introduction: number; readonly asker: ClientId }
  | { readonly kind: 'result'; readonly asker: ClientId; readonly request: number; readonly verdict: IntroductionResult['verdict']; readonly pending?: true; readonly target: ClientId | undefined; readonly waitedMs: number }
  | { readonly kind: 'dropped'; readonly waitedMs: number }
  | { readonly kind: 'ignored'; readonly why: IgnoredReason };

/** `late`: over already; `foreign`: asked of somebody else; `unknown`: never asked; `duplicate_request`: that number is open. */
type IgnoredReason = 'late' | 'foreign' | 'unknown' | 'duplicate_request';

interface Introduction {
  readonly number: number;
  readonly asker: ClientId;
  readonly request: number;
  readonly target: ClientId | undefined;
  readonly askedAt: number;
  state: IntroductionState;
}

export class Introductions {
  readonly #limits: IntroductionLimits;
  readonly #open = new Map<number, Introduction>();
  readonly #byAsker = new Map<ClientId, Map<number, Introduction>>();
  readonly #byTarget = new Map<ClientId, Set<Introduction>>();
  readonly #budgets = new Map<ClientId, TokenBucket>();
  #lastNumber = 0;

  constructor(limits: IntroductionLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open.size;
  }

  get nextDeadline(): number | undefined {
    const first = this.#open.values().next();
    return first.done === true ? undefined : first.value.askedAt + introductionTimeoutMs;
  }

  /** `target` is undefined when nobody of that id is in the asker's room. */
  ask(asker: ClientId, request: number, target: ClientId | undefined, now: number): IntroductionMove[] {
    if (this.#byAsker.get(asker)?.has(request)) return [{ kind: 'ignored', why: 'duplicate_request' }];
    this.#lastNumber += 1;
    const introduction: Introduction = { number: this.#lastNumber, asker, request, target, askedAt: now, state: 'asked' };
    if (!this.#mayAsk(asker, target, now)) return this.#step(introduction, 'over_limit', now);
    return this.#step(introduction, target === undefined ? 'target_absent' : 'target_present', now);
  }

  answer(from: ClientId, number: number, verdict: 'accepted' | 'refused' | 'postponed', now: number): IntroductionMove[] {
    const introduction = this.#open.get(number);
    if (!introduction) return [{ kind: 'ignored', why: number > 0 && number <= this.#lastNumber ? 'late' : 'unknown' }];
    if (introduction.target !== from) return [{ kind: 'ignored', why: 'foreign' }];
    return this.#step(introduction, verdict === 'accepted' ? 'accept' : verdict === 'postponed' ? 'postpone' : 'refuse', now);
  }

  /** A client left the roster: what it asked is dropped, what it was asked ends at once. */
  left(client: ClientId, now: number): IntroductionMove[] {
    this.#budgets.delete(client);
    const asked = [...(this.#byAsker.get(client)?.values() ?? [])];
    const dropped = asked.flatMap((introduction) => this.#step(introduction, 'asker_left', now));
    const waiting = [...(this.#byTarget.get(client) ?? [])];
    return [...dropped, ...waiting.flatMap((introduction) => this.#step(introduction, 'target_left', now))];
  }

  expire(now: number): IntroductionMove[] {
    const due: Introduction[] = [];
    for (const introduction of this.#open.values()) {
      if (introduction.askedAt + introductionTimeoutMs > now) break;
      due.push(introduction);
    }
    return due.flatMap((introduction) => this.#step(introduction, 'deadline', now));
  }

  #mayAsk(asker: ClientId, target: ClientId | undefined, now: number): boolean {
    let budget = this.#budgets.get(asker);
    if (!budget) {
      budget = new TokenBucket(this.#limits.requests, now);
      this.#budgets.set(asker, budget);
    }
    if (!budget.take(now)) return false;
    if ((this.#byAsker.get(asker)?.size ?? 0) >= this.#limits.openPerAsker) return false;
    return target === undefined || (this.#byTarget.get(target)?.size ?? 0) < this.#limits.openPerTarget;
  }

  #step(introduction: Introduction, event: IntroductionEvent, now: number): IntroductionMove[] {
    const { state, effects } = introductionStep(introduction.state, event);
    introduction.state = state;
    if (isIntroductionOver(state)) this.#close(introduction);
    const { number, asker, request, target } = introduction;
    const waitedMs = now - introduction.askedAt;
    const moves: IntroductionMove[] = state === 'dropped' ? [{ kind: 'dropped', waitedMs }] : [];
    for (const effect of effects) {
      if (effect.kind === 'forward' && target !== undefined) {
        this.#keep(introduction, target);
        moves.push({ kind: 'forward', target, introduction: number, asker });
      } else if (effect.kind === 'result') {
        moves.push({ kind: 'result', asker, request, verdict: effect.verdict, ...(effect.pending ? { pending: true as const } : {}), target, waitedMs });
      } else {
        moves.push({ kind: 'ignored', why: 'late' });
      }
    }
    return moves;
  }

  #keep(introduction: Introduction, target: ClientId): void {
    this.#open.set(introduction.number, introduction);
    const asked = this.#byAsker.get(introduction.asker) ?? new Map<number, Introduction>();
    this.#byAsker.set(introduction.asker, asked.set(introduction.request, introduction));
    const waiting = this.#byTarget.get(target) ?? new Set<Introduction>();
    this.#byTarget.set(target, waiting.add(introduction));
  }

  #close(introduction: Introduction): void {
    const { number, asker, request, target } = introduction;
    if (!this.#open.delete(number)) return;
    const asked = this.#byAsker.get(asker);
    asked?.delete(request);
    if (asked?.size === 0) this.#byAsker.delete(asker);
    const waiting = target === undefined ? undefined : this.#byTarget.get(target);
    waiting?.delete(introduction);
    if (target !== undefined && waiting?.size === 0) this.#byTarget.delete(target);
  }
}
