/**
 * One client of one rendezvous, pure: `(state, event) → {state, effects}`. In words:
 *
 *   idle        not started, or stopped                       start → connecting
 *   connecting  TCP, TLS, hello                               connected → greeting; lost → backoff or refused
 *   greeting    `register` was sent                           registered → registered; lost → backoff or refused
 *   registered  on the roster; heartbeats, roster versions    lost → backoff or refused; leave → left
 *   left        off the roster on purpose                     come → connecting
 *   backoff     waits for the next attempt                    due → connecting
 *   refused     as backoff, but the rendezvous said no        due → connecting
 *
 * `lost` is whatever ended an attempt or a connection, with the code of its `close` message if there was one.
 */
import { PeerdError, type ErrorCode } from '../errors.ts';
import { handshakeTimeoutMs } from '../limits.ts';
import type { Registered } from '../messages/registered.ts';
import type { RosterDelta } from '../messages/roster-delta.ts';
import type { RosterSnapshot } from '../messages/roster-snapshot.ts';
import { type Backoff, backoffMs } from './backoff.ts';

interface Progress {
  /** Version held; `undefined` until the first snapshot is complete. */
  readonly version: number | undefined;
  /** Snapshot whose pages are arriving. */
  readonly collecting: { readonly version: number; readonly peers: number } | undefined;
  /** A snapshot was asked for because of a gap. */
  readonly asked: boolean;
}

export type RegistrationState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'connecting' | 'greeting'; readonly attempt: number; readonly error: PeerdError | undefined }
  | {
      readonly phase: 'registered';
      readonly attempt: number;
      readonly epoch: number;
      readonly heartbeatMs: number;
      /** Heartbeats without an answer after which the connection counts as dead. */
      readonly deadAfter: number;
      readonly missed: number;
      readonly seq: number;
      readonly roster: Progress;
    }
  | { readonly phase: 'left' }
  | { readonly phase: 'backoff' | 'refused'; readonly attempt: number; readonly error: PeerdError };

export type RegistrationEvent =
  | { readonly kind: 'start' | 'stop' | 'leave' | 'come' }
  /** Hello went both ways. */
  | { readonly kind: 'connected' }
  /** `random`: 0 ≤ random < 1, for the jitter. */
  | { readonly kind: 'lost'; readonly error: PeerdError; readonly random: number }
  | { readonly kind: 'registered'; readonly body: Registered }
  | { readonly kind: 'snapshot'; readonly body: RosterSnapshot; readonly random: number }
  | { readonly kind: 'delta'; readonly body: RosterDelta }
  /** Any frame arrived. */
  | { readonly kind: 'heard' }
  /** What `register` says is not true any more. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'due'; readonly random: number };

export type RegistrationEffect =
  | { readonly kind: 'connect' | 'register' | 'unregister' }
  /** Ends the connection, or the attempt; no `lost` follows. */
  | { readonly kind: 'disconnect'; readonly reason: PeerdError }
  | { readonly kind: 'ping'; readonly seq: number }
  | { readonly kind: 'roster-request'; readonly have: number }
  /** Throw the pages collected so far away; a snapshot begins. */
  | { readonly kind: 'roster-begin' }
  | { readonly kind: 'roster-page'; readonly body: RosterSnapshot }
  /** The collected pages are the roster now. */
  | { readonly kind: 'roster-commit' }
  | { readonly kind: 'roster-apply'; readonly body: RosterDelta }
  /** Nothing is known any more. */
  | { readonly kind: 'roster-clear' }
  /** Sets the one timer, whose event is `due`. */
  | { readonly kind: 'timer'; readonly ms: number }
  | { readonly kind: 'no-timer' };

export interface RegistrationStep {
  readonly state: RegistrationState;
  readonly effects: readonly RegistrationEffect[];
}

export const idleRegistration: RegistrationState = { phase: 'idle' };

export const stepRegistration = (state: RegistrationState, event: RegistrationEvent): RegistrationStep => {
  const handler = table[state.phase][event.kind] as ((state: RegistrationState, event: RegistrationEvent) => RegistrationStep) | undefined;
  return handler ? handler(state, event) : stay(state);
};

const reconnect: Backoff = { firstMs: 250, maxMs: 15_000 };
/** After a refusal that time alone does not mend. */
const refusedRetryMs = 60_000;
/** A server may not send a client away for longer than this. */
const maxRetryAfterMs = 600_000;
const retryAfterJitterMs = 1_000;
/** Bounds for what the server asks for. */
const heartbeatBoundsMs = { min: 50, max: 60_000 };
/** Peers of a roster that are held; a larger one is refused. */
const maxRosterPeers = 65_536;

/** The rendezvous, or its key, said no: a person has to look. Retried all the same, seldom. */
const refusals: ReadonlySet<ErrorCode> = new Set(['wrong_key', 'room_secret_wrong', 'version_unsupported', 'superseded', 'removed']);

type Phase = RegistrationState['phase'];
type Kind = RegistrationEvent['kind'];
type In<P extends Phase> = Extract<RegistrationState, { phase: P }> & { readonly phase: P };
type On<K extends Kind> = Extract<RegistrationEvent, { kind: K }>;
type Row<P extends Phase> = { readonly [K in Kind]?: (state: In<P>, event: On<K>) => RegistrationStep };
type Table = { readonly [P in Phase]: Row<P> };

const left: RegistrationEffect[] = [{ kind: 'roster-clear' }, { kind: 'no-timer' }];

const attempting = {
  lost: (state: { attempt: number }, event: On<'lost'>) => lost(state.attempt, event),
  stop: () => to({ phase: 'idle' }, { kind: 'disconnect', reason: stopped() }, ...left),
  leave: () => to({ phase: 'left' }, { kind: 'disconnect', reason: stopped() }, ...left),
};

const waiting = {
  due: (state: { attempt: number; error: PeerdError }) => connecting(state.attempt, state.error),
  stop: () => to({ phase: 'idle' }, ...left),
  leave: () => to({ phase: 'left' }, ...left),
};

const table: Table = {
  idle: {
    start: () => connecting(0, undefined),
  },
  connecting: {
    ...attempting,
    connected: ({ attempt, error }) => to({ phase: 'greeting', attempt, error }, { kind: 'register' }, { kind: 'timer', ms: handshakeTimeoutMs }),
  },
  greeting: {
    ...attempting,
    registered: ({ attempt }, { body }) => {
      const heartbeatMs = Math.min(heartbeatBoundsMs.max, Math.max(heartbeatBoundsMs.min, body.heartbeatMs));
      const deadAfter = Math.max(2, Math.ceil(body.leaseMs / heartbeatMs));
      const roster: Progress = { version: undefined, collecting: undefined, asked: false };
      return to({ phase: 'registered', attempt, epoch: body.epoch, heartbeatMs, deadAfter, missed: 0, seq: 0, roster }, { kind: 'timer', ms: heartbeatMs });
    },
    due: ({ attempt }, { random }) =>
      givenUp(attempt, random, new PeerdError('handshake_timeout', 'the rendezvous did not answer the registration in time')),
  },
  registered: {
    ...attempting,
    stop: () => to({ phase: 'idle' }, { kind: 'unregister' }, { kind: 'disconnect', reason: stopped() }, ...left),
    leave: () => to({ phase: 'left' }, { kind: 'unregister' }, { kind: 'disconnect', reason: stopped() }, ...left),
    registered: (state, { body }) => stay({ ...state, epoch: body.epoch }),
    changed: (state) => to(state, { kind: 'register' }),
    heard: (state) => stay({ ...state, missed: 0 }),
    due: (state, { random }) => heartbeat(state, random),
    snapshot: (state, { body, random }) => snapshot(state, body, random),
    delta: (state, { body }) => delta(state, body),
  },
  left: {
    come: () => connecting(0, undefined),
    stop: () => to({ phase: 'idle' }),
  },
  backoff: waiting,
  refused: waiting,
};

const heartbeat = (state: In<'registered'>, random: number): RegistrationStep => {
  const missed = state.missed + 1;
  if (missed >= state.deadAfter) return givenUp(state.attempt, random, new PeerdError('rendezvous_unreachable', 'the rendezvous fell silent'));
  const seq = state.seq + 1;
  // A connection that has lasted a heartbeat is no reason to slow down after it. What was asked for may have been lost.
  const next: In<'registered'> = { ...state, attempt: 0, missed, seq };
  const again: RegistrationEffect[] = state.roster.asked ? [{ kind: 'roster-request', have: state.roster.version ?? 0 }] : [];
  return to(next, { kind: 'ping', seq }, ...again, { kind: 'timer', ms: state.heartbeatMs });
};

const snapshot = (state: In<'registered'>, page: RosterSnapshot, random: number): RegistrationStep => {
  const begins = state.roster.collecting?.version !== page.version;
  const peers = (begins ? 0 : (state.roster.collecting?.peers ?? 0)) + page.peers.length;
  if (peers > maxRosterPeers) return givenUp(state.attempt + 1, random, new PeerdError('malformed_frame', `the roster has more than ${maxRosterPeers} peers`));
  const effects: RegistrationEffect[] = [...(begins ? [{ kind: 'roster-begin' } as const] : []), { kind: 'roster-page', body: page }];
  if (!page.last) return to({ ...state, roster: { ...state.roster, collecting: { version: page.version, peers } } }, ...effects);
  return to({ ...state, roster: { version: page.version, collecting: undefined, asked: false } }, ...effects, { kind: 'roster-commit' });
};

const delta = (state: In<'registered'>, body: RosterDelta): RegistrationStep => {
  const { version, collecting, asked } = state.roster;
  // Before a snapshot is complete there is nothing to apply it to; a gap that it leaves shows at the next one.
  if (version === undefined || collecting || asked || body.to <= version) return stay(state);
  if (body.from === version) return to({ ...state, roster: { ...state.roster, version: body.to } }, { kind: 'roster-apply', body });
  return to({ ...state, roster: { ...state.roster, asked: true } }, { kind: 'roster-request', have: version });
};

const connecting = (attempt: number, error: PeerdError | undefined): RegistrationStep => to({ phase: 'connecting', attempt, error }, { kind: 'no-timer' }, { kind: 'connect' });

const givenUp = (attempt: number, random: number, error: PeerdError): RegistrationStep => {
  const step = lost(attempt, { kind: 'lost', error, random });
  return { state: step.state, effects: [{ kind: 'disconnect', reason: error }, ...step.effects] };
};

const lost = (attempt: number, { error, random }: On<'lost'>): RegistrationStep => {
  const phase = refusals.has(error.code) || error.code === 'rendezvous_full' ? 'refused' : 'backoff';
  return to({ phase, attempt: attempt + 1, error }, { kind: 'roster-clear' }, { kind: 'timer', ms: retryMs(attempt, error, random) });
};

const retryMs = (attempt: number, error: PeerdError, random: number): number => {
  const asked = error.details?.['retryAfterMs'];
  if (typeof asked === 'number') return Math.min(maxRetryAfterMs, asked) + Math.floor(random * retryAfterJitterMs);
  if (refusals.has(error.code)) return Math.floor(refusedRetryMs * (0.5 + random / 2));
  return backoffMs(reconnect, attempt, random);
};

const to = (state: RegistrationState, ...effects: readonly RegistrationEffect[]): RegistrationStep => ({ state, effects });
const stay = (state: RegistrationState): RegistrationStep => ({ state, effects: [] });
const stopped = (): PeerdError => new PeerdError('disconnected', 'the client leaves');
