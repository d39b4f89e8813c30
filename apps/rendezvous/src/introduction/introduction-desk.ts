/** Introductions over connections: carries out the moves of `Introductions` and keeps their deadlines. */
import {
  encodeMessage, type Introduce, introduction, type IntroductionAnswer, introductionResult, type PeerId, type RosterEntry,
} from '@peerd/protocol';
import type { ClientId } from '../client-id.ts';
import { Alarm, type Clock } from '../clock.ts';
import type { Metrics } from '../metrics.ts';
import type { IntroductionMove, Introductions } from './introductions.ts';

/** What the desk needs of the registry. */
interface Directory {
  registration(client: ClientId): { readonly entry: RosterEntry } | undefined;
  /** Only peers of the same room are found. */
  neighbour(client: ClientId, id: PeerId): { readonly client: ClientId } | undefined;
}

export interface IntroductionDeskParts {
  readonly introductions: Introductions;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly send: (to: ClientId, frame: Uint8Array) => void;
}

export class IntroductionDesk {
  readonly #parts: IntroductionDeskParts;
  readonly #deadlines: Alarm;
  /** Answers that each client was asked for and has not given, whether or not somebody still waits for them. */
  readonly #owed = new Map<ClientId, number>();

  constructor(parts: IntroductionDeskParts) {
    this.#parts = parts;
    const { introductions } = parts;
    this.#deadlines = new Alarm(parts.clock, () => introductions.nextDeadline, (now) => this.#carryOut(introductions.expire(now)));
  }

  ask(asker: ClientId, { request, peer }: Introduce): void {
    const { introductions, directory, clock } = this.#parts;
    const target = directory.neighbour(asker, peer)?.client;
    // Nobody is introduced to itself.
    this.#carryOut(introductions.ask(asker, request, target === asker ? undefined : target, clock.monotonic()));
    this.#deadlines.set();
  }

  /** `false` when the client has answered everything that it was asked already. Who asks and leaves makes no answer one too many. */
  answer(from: ClientId, { introduction: number, verdict, pending = false }: IntroductionAnswer): boolean {
    const moves = this.#parts.introductions.answer(from, number, pending && verdict === 'refused' ? 'postponed' : verdict, this.#parts.clock.monotonic());
    this.#carryOut(moves);
    const owed = this.#owed.get(from) ?? 0;
    if (owed > 0) this.#owed.set(from, owed - 1);
    return owed > 0;
  }

  left(client: ClientId): void {
    this.#owed.delete(client);
    this.#carryOut(this.#parts.introductions.left(client, this.#parts.clock.monotonic()));
  }

  stop(): void {
    this.#deadlines.stop();
  }

  #carryOut(moves: readonly IntroductionMove[]): void {
    for (const move of moves) {
      switch (move.kind) {
        case 'forward':
          this.#forward(move);
          break;
        case 'result':
          this.#tell(move);
          break;
        case 'dropped':
          this.#count('dropped', move.waitedMs);
          break;
        case 'ignored':
          this.#parts.metrics.introductionsIgnored.inc({ reason: move.why });
      }
    }
  }

  #forward({ target, asker, introduction: number }: Extract<IntroductionMove, { kind: 'forward' }>): void {
    const from = this.#parts.directory.registration(asker)?.entry;
    if (!from) return;
    this.#owed.set(target, (this.#owed.get(target) ?? 0) + 1);
    this.#parts.send(target, encodeMessage(introduction, { introduction: number, from }));
  }

  #tell({ asker, request, verdict, pending, target, waitedMs }: Extract<IntroductionMove, { kind: 'result' }>): void {
    this.#count(pending ? 'pending' : verdict, waitedMs);
    const peer = verdict === 'accepted' && target !== undefined ? this.#parts.directory.registration(target)?.entry : undefined;
    this.#parts.send(asker, encodeMessage(introductionResult, { request, verdict, ...(peer ? { peer } : {}), ...(pending ? { pending } : {}) }));
  }

  #count(outcome: string, waitedMs: number): void {
    this.#parts.metrics.introductions.inc({ outcome });
    this.#parts.metrics.introductionSeconds.observe(waitedMs / 1_000);
  }
}
