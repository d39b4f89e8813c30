/**
 * Which of several control connections between two peers is their link. One machine per peer and side, pure:
 * `(state, event) → {state, effects}`.
 *
 * The side with the lower id selects (`selects`), the other one waits to be told. A connection is `opened` when hello went
 * both ways. In words:
 *
 *   absent    nobody is connected                          opened → choosing (waits) or up (selects)
 *   choosing  waits for `select` on one of the connections selected → up; all closed → ended
 *   up        `current` is the link, `waiting` are spare   closed, dead, replaced → up or choosing with a spare, or ended
 *   ended     as absent, after a link or a choice          opened → choosing or up
 *
 * A new boot nonce says that the other process was started anew: what was before is dropped at once. Of connections with
 * equal nonces the selecting side keeps the one it has if that answers a ping in time, otherwise it selects the newest.
 * Only that side closes duplicates. If both did, each could close the connection that the other has just chosen.
 */
import { PeerdError } from '../errors.ts';
import { linkDeadMs, linkHeartbeatMs } from '../limits.ts';

/** Number of a connection within this process. */
type ConnectionNumber = number;

interface Own {
  /** This side has the lower peer id. */
  readonly selects: boolean;
  /** Number of the last ping. */
  readonly seq: number;
}

export type LinkState = Own &
  (
    | { readonly phase: 'absent' }
    | { readonly phase: 'choosing'; readonly nonce: string; readonly retired: readonly string[]; readonly waiting: readonly ConnectionNumber[] }
    | {
        readonly phase: 'up';
        readonly nonce: string;
        /** Nonces that were replaced: a late hello of a process that is gone must not replace the link of its successor. */
        readonly retired: readonly string[];
        readonly current: ConnectionNumber;
        /** `order` of the select that chose `current`; 0 at the selecting side. */
        readonly order: number;
        /** Oldest first. */
        readonly waiting: readonly ConnectionNumber[];
        /** Ping that `current` must answer, or a waiting one is selected. */
        readonly probe: number | undefined;
        /** Heartbeats since anything was heard. */
        readonly missed: number;
      }
    | { readonly phase: 'ended'; readonly reason: PeerdError }
  );

export type LinkTimer = 'heartbeat' | 'probe' | 'select';

export type LinkEvent =
  /** Hello went both ways. `nonce` is the other side's. */
  | { readonly kind: 'opened'; readonly connection: ConnectionNumber; readonly nonce: string }
  | { readonly kind: 'selected'; readonly connection: ConnectionNumber; readonly order: number }
  /** Any frame arrived. */
  | { readonly kind: 'heard'; readonly connection: ConnectionNumber }
  | { readonly kind: 'pong'; readonly connection: ConnectionNumber; readonly seq: number }
  /** The connection is gone. */
  | { readonly kind: 'closed'; readonly connection: ConnectionNumber; readonly reason: PeerdError }
  | { readonly kind: 'timer'; readonly timer: LinkTimer; readonly connection: ConnectionNumber }
  /** This side wants no link any more. */
  | { readonly kind: 'end'; readonly reason: PeerdError };

export type LinkEffect =
  | { readonly kind: 'select'; readonly connection: ConnectionNumber }
  | { readonly kind: 'ping'; readonly connection: ConnectionNumber; readonly seq: number }
  /** Close the connection and forget it: no `closed` follows. Its timers stop. */
  | { readonly kind: 'close'; readonly connection: ConnectionNumber; readonly reason: PeerdError }
  | { readonly kind: 'up'; readonly connection: ConnectionNumber }
  | { readonly kind: 'down'; readonly connection: ConnectionNumber; readonly reason: PeerdError }
  | { readonly kind: 'start'; readonly timer: LinkTimer; readonly connection: ConnectionNumber }
  | { readonly kind: 'stop'; readonly timer: LinkTimer; readonly connection: ConnectionNumber };

export interface LinkStep {
  readonly state: LinkState;
  readonly effects: readonly LinkEffect[];
}

/** `selects`: our id is lower than the peer's. */
export const absentLink = (selects: boolean): LinkState => ({ phase: 'absent', selects, seq: 0 });

export const stepLink = (state: LinkState, event: LinkEvent): LinkStep => {
  const handler = table[state.phase][event.kind] as ((state: LinkState, event: LinkEvent) => LinkStep) | undefined;
  return handler ? handler(state, event) : stay(state);
};

/** Spare connections of one pair; more of them have no use. */
const maxWaiting = 4;
const maxRetired = 4;
const deadAfter: number = linkDeadMs / linkHeartbeatMs;

type Phase = LinkState['phase'];
type Kind = LinkEvent['kind'];
type In<P extends Phase> = Extract<LinkState, { phase: P }>;
type On<K extends Kind> = Extract<LinkEvent, { kind: K }>;
type Table = { readonly [P in Phase]: { readonly [K in Kind]?: (state: In<P>, event: On<K>) => LinkStep } };

const table: Table = {
  absent: {
    opened: (state, event) => first(state, [], event),
    end: (state, { reason }) => ended(state, reason),
  },
  choosing: {
    opened: (state, event) => {
      if (event.nonce !== state.nonce) return restarted(state, state.waiting, event);
      const { waiting, effects } = withSpare(state.waiting, event.connection);
      return { state: { ...state, waiting }, effects: [...effects, start('select', event.connection)] };
    },
    selected: (state, event) => {
      if (!state.waiting.includes(event.connection)) return stay(state);
      return up(state, state, event.connection, event.order, without(state.waiting, event.connection), [stop('select', event.connection)]);
    },
    closed: (state, event) => stillChoosing(state, event.connection, event.reason, []),
    timer: (state, event) => stillChoosing(state, event.connection, notSelected(), [close(event.connection, notSelected())]),
    end: (state, { reason }) => ended(state, reason, state.waiting.map((connection) => close(connection, reason))),
  },
  up: {
    opened: (state, event) => {
      if (event.nonce !== state.nonce) return restarted(state, [...state.waiting, state.current], event);
      const { waiting, effects } = withSpare(state.waiting, event.connection);
      if (!state.selects) return { state: { ...state, waiting }, effects: [...effects, start('select', event.connection)] };
      if (state.probe !== undefined) return { state: { ...state, waiting }, effects };
      return probing({ ...state, waiting }, effects);
    },
    selected: (state, event) => {
      if (state.selects) return lost(state, event.connection, unexpectedSelect(), true);
      if (!state.waiting.includes(event.connection) || event.order <= state.order) return stay(state);
      const effects = [stop('select', event.connection), down(state.current, replaced()), close(state.current, replaced())];
      return up(state, state, event.connection, event.order, without(state.waiting, event.connection), effects);
    },
    heard: (state, event) => stay(event.connection === state.current ? { ...state, missed: 0 } : state),
    pong: (state, event) => {
      if (event.connection !== state.current || event.seq !== state.probe) return stay(state);
      const duplicates = state.waiting.map((connection) => close(connection, duplicate()));
      return { state: { ...state, waiting: [], probe: undefined }, effects: [stop('probe', state.current), ...duplicates] };
    },
    closed: (state, event) => lost(state, event.connection, event.reason, false),
    timer: (state, event) => {
      if (event.timer === 'select') return lost(state, event.connection, notSelected(), true);
      if (event.connection !== state.current) return stay(state);
      if (event.timer === 'probe') return state.probe === undefined ? stay(state) : lost(state, state.current, silent(), true);
      if (state.missed + 1 >= deadAfter) return lost(state, state.current, silent(), true);
      const seq = state.seq + 1;
      return { state: { ...state, seq, missed: state.missed + 1 }, effects: [ping(state.current, seq), start('heartbeat', state.current)] };
    },
    end: (state, { reason }) =>
      ended(state, reason, [down(state.current, reason), ...[state.current, ...state.waiting].map((connection) => close(connection, reason))]),
  },
  ended: {
    opened: (state, event) => first(state, [], event),
    end: (state, { reason }) => ended(state, reason),
  },
};

/** The first connection of a process of the other side. */
const first = (own: Own, retired: readonly string[], { connection, nonce }: On<'opened'>, effects: readonly LinkEffect[] = []): LinkStep => {
  if (own.selects) return up(own, { nonce, retired }, connection, 0, [], [...effects, selected(connection)]);
  const state: LinkState = { ...ownOf(own), phase: 'choosing', nonce, retired, waiting: [connection] };
  return { state, effects: [...effects, start('select', connection)] };
};

/** Another nonce than that of the connections so far: theirs is a process that is gone, or that of the new one is. */
const restarted = (state: In<'choosing' | 'up'>, connections: readonly ConnectionNumber[], event: On<'opened'>): LinkStep => {
  const reason = new PeerdError('superseded', 'the peer was started anew');
  if (state.retired.includes(event.nonce)) return { state, effects: [close(event.connection, reason)] };
  const retired = [...state.retired, state.nonce].slice(-maxRetired);
  const gone = state.phase === 'up' ? [down(state.current, reason)] : [];
  return first(state, retired, event, [...gone, ...connections.map((connection) => close(connection, reason))]);
};

const up = (
  own: Own,
  of: { readonly nonce: string; readonly retired: readonly string[] },
  current: ConnectionNumber,
  order: number,
  waiting: readonly ConnectionNumber[],
  effects: readonly LinkEffect[],
): LinkStep => {
  const state: In<'up'> = { ...ownOf(own), phase: 'up', nonce: of.nonce, retired: of.retired, current, order, waiting, probe: undefined, missed: 0 };
  const all: LinkEffect[] = [...effects, { kind: 'up', connection: current }, start('heartbeat', current)];
  // The one that was selected because another fell silent may be as dead as that: ask it too while there are others.
  return own.selects && waiting.length > 0 ? probing(state, all) : { state, effects: all };
};

const probing = (state: In<'up'>, effects: readonly LinkEffect[]): LinkStep => {
  const seq = state.seq + 1;
  return { state: { ...state, seq, probe: seq }, effects: [...effects, ping(state.current, seq), start('probe', state.current)] };
};

/** A connection is gone, or, with `closing`, is given up here. */
const lost = (state: In<'up'>, connection: ConnectionNumber, reason: PeerdError, closing: boolean): LinkStep => {
  const closed = closing ? [close(connection, reason)] : [];
  if (connection !== state.current) {
    const waiting = without(state.waiting, connection);
    if (waiting.length === state.waiting.length) return stay(state);
    if (waiting.length > 0 || state.probe === undefined) return { state: { ...state, waiting }, effects: closed };
    return { state: { ...state, waiting, probe: undefined }, effects: [...closed, stop('probe', state.current)] };
  }
  const effects = [down(connection, reason), ...closed];
  const next = state.waiting.at(-1);
  if (next === undefined) return ended(state, reason, effects);
  if (state.selects) return up(state, state, next, 0, without(state.waiting, next), [...effects, selected(next)]);
  return { state: { ...ownOf(state), phase: 'choosing', nonce: state.nonce, retired: state.retired, waiting: state.waiting }, effects };
};

const stillChoosing = (state: In<'choosing'>, connection: ConnectionNumber, reason: PeerdError, effects: readonly LinkEffect[]): LinkStep => {
  const waiting = without(state.waiting, connection);
  if (waiting.length === state.waiting.length) return stay(state);
  return waiting.length === 0 ? ended(state, reason, effects) : { state: { ...state, waiting }, effects };
};

const ended = (own: Own, reason: PeerdError, effects: readonly LinkEffect[] = []): LinkStep => ({ state: { ...ownOf(own), phase: 'ended', reason }, effects });

const withSpare = (waiting: readonly ConnectionNumber[], connection: ConnectionNumber): { waiting: readonly ConnectionNumber[]; effects: LinkEffect[] } => {
  const all = [...waiting, connection];
  return { waiting: all.slice(-maxWaiting), effects: all.slice(0, -maxWaiting).map((surplus) => close(surplus, duplicate())) };
};

const stay = (state: LinkState): LinkStep => ({ state, effects: [] });
const ownOf = ({ selects, seq }: Own): Own => ({ selects, seq });
const without = (connections: readonly ConnectionNumber[], connection: ConnectionNumber): ConnectionNumber[] => connections.filter((other) => other !== connection);

const selected = (connection: ConnectionNumber): LinkEffect => ({ kind: 'select', connection });
const ping = (connection: ConnectionNumber, seq: number): LinkEffect => ({ kind: 'ping', connection, seq });
const close = (connection: ConnectionNumber, reason: PeerdError): LinkEffect => ({ kind: 'close', connection, reason });
const down = (connection: ConnectionNumber, reason: PeerdError): LinkEffect => ({ kind: 'down', connection, reason });
const start = (timer: LinkTimer, connection: ConnectionNumber): LinkEffect => ({ kind: 'start', timer, connection });
const stop = (timer: LinkTimer, connection: ConnectionNumber): LinkEffect => ({ kind: 'stop', timer, connection });

const duplicate = (): PeerdError => new PeerdError('duplicate_link', 'another connection of this pair is the link');
const replaced = (): PeerdError => new PeerdError('duplicate_link', 'the peer selected another connection');
const silent = (): PeerdError => new PeerdError('link_lost', 'the peer fell silent');
const notSelected = (): PeerdError => new PeerdError('handshake_timeout', 'the peer selected no connection in time');
const unexpectedSelect = (): PeerdError => new PeerdError('unexpected_message', 'select came from the side that has to wait for it');
