/** Who is read slowly is neither refused nor dropped: so it is counted here, and told in the log and in `peerctl status`. */
import { type Logger, type Rate, startAtZero } from '@peerd/service';
import { Counter, type Registry } from 'prom-client';
import { ReadPace, type Source } from './read-pace.ts';

/** `idle`: messages of transfers that change nothing. */
const paced = ['messages', 'offers', 'idle', 'questions', 'verification'] as const;
export type Paced = (typeof paced)[number];

/** So long a link is not read before it is worth a line: an honest peer that comes back with much to say stays below. */
const tellFromMs = 5_000;
/** Between two lines about one link. */
const tellEveryMs = 60_000;

interface Account {
  waitedMs: number;
  told: { readonly at: number; readonly waitedMs: number };
}

export interface PacingOptions {
  readonly registry: Registry;
  readonly logger: Pick<Logger, 'warn'>;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export class Pacing {
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  readonly #seconds: Counter<'what'>;
  readonly #accounts = new WeakMap<Source, Account>();

  constructor({ registry, logger, now }: PacingOptions) {
    this.#logger = logger;
    this.#now = now;
    this.#seconds = new Counter({
      name: 'peerd_paced_seconds_total', help: 'Time in which a link was not read, since its peer had said more than it may, by what it said.', labelNames: ['what'], registers: [registry],
    });
    startAtZero(this.#seconds, 'what', paced);
  }

  pace(what: Paced, rate: Rate): ReadPace {
    return new ReadPace(rate, (source, waitMs) => this.#waits(what, source, waitMs));
  }

  /** Milliseconds in which this link was not read. */
  waitedMs(source: Source): number {
    return this.#accounts.get(source)?.waitedMs ?? 0;
  }

  #waits(what: Paced, source: Source, waitMs: number): void {
    this.#seconds.inc({ what }, waitMs / 1_000);
    const account: Account = this.#accounts.get(source) ?? { waitedMs: 0, told: { at: -tellEveryMs, waitedMs: 0 } };
    this.#accounts.set(source, account);
    account.waitedMs += waitMs;
    const [now, sinceToldMs] = [this.#now(), account.waitedMs - account.told.waitedMs];
    if (sinceToldMs < tellFromMs || now - account.told.at < tellEveryMs) return;
    account.told = { at: now, waitedMs: account.waitedMs };
    this.#logger.warn({ peer: source.peer, what, seconds: Math.round(sinceToldMs / 1_000) }, 'a peer says more than it may, and is read slowly');
  }
}
