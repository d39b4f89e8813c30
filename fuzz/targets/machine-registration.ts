import assert from 'node:assert/strict';
import { idleRegistration, PeerdError, type RegistrationEvent, type RegistrationState, type RosterEntry, stepRegistration } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { Choices, walk } from './support.ts';

const codes = ['link_lost', 'rendezvous_full', 'wrong_key', 'superseded', 'retiring'] as const;
const numbers = [0, 1, 50, 10_000, 30_000, 60_001, Number.MAX_SAFE_INTEGER];
/** Only their number counts; a page of the wire has fewer. */
const pages = [0, 1, 40_000].map((length) => Array<RosterEntry>(length));

const event = (choices: Choices): RegistrationEvent => {
  const random = choices.below(256) / 256;
  switch (choices.below(12)) {
    case 0:
      return { kind: 'start' };
    case 1:
      return { kind: choices.pick(['stop', 'leave', 'come'] as const) };
    case 2:
    case 3:
      return { kind: 'connected' };
    case 4: {
      const asked = choices.below(3) === 0 ? { details: { retryAfterMs: choices.pick(numbers) } } : {};
      return { kind: 'lost', error: new PeerdError(choices.pick(codes), 'fuzz', asked), random };
    }
    case 5:
    case 6:
      return { kind: 'registered', body: { epoch: choices.pick(numbers), heartbeatMs: choices.pick(numbers), leaseMs: choices.pick(numbers), observedHost: '127.0.0.1' } };
    case 7:
      return { kind: 'snapshot', body: { version: choices.below(8), peers: choices.pick(pages), last: choices.flag() }, random };
    case 8:
      return { kind: 'delta', body: { from: choices.below(8), to: choices.below(8), upserts: [], removes: [] } };
    case 9:
      return { kind: 'heard' };
    case 10:
      return { kind: 'changed' };
    default:
      return { kind: 'due', random };
  }
};

const isConnected = ({ phase }: RegistrationState): boolean => phase === 'connecting' || phase === 'greeting' || phase === 'registered';

/** A client never waits without a timer or a connection, and holds no more of a roster than it may. */
export const registrationMachine: FuzzTarget = {
  name: 'machine-registration',
  seeds: [Buffer.of(0, 0, 0, 2, 0, 5, 1, 3, 4, 0, 7, 3, 1, 1, 0, 8, 3, 4, 0, 11), walk(200), Buffer.of(9, 0, 0, 4, 0, 0, 0, 11)],
  maxBytes: 512,
  run: (input) => {
    const choices = new Choices(input);
    let state = idleRegistration;
    let hasTimer = false;
    let hasConnection = false;
    let collecting = 0;
    while (!choices.isOver) {
      const what = event(choices);
      // What only a connection or a timer can bring.
      if (['connected', 'lost', 'registered', 'snapshot', 'delta', 'heard'].includes(what.kind) && !hasConnection) continue;
      if (what.kind === 'due' && !hasTimer) continue;
      if (what.kind === 'due') hasTimer = false;
      if (what.kind === 'lost') hasConnection = false;
      const { state: next, effects } = stepRegistration(state, what);
      state = next;
      for (const effect of effects) {
        switch (effect.kind) {
          case 'timer':
            assert(Number.isFinite(effect.ms) && effect.ms >= 0 && effect.ms <= 601_000, `waits ${effect.ms} ms`);
            hasTimer = true;
            break;
          case 'no-timer':
            hasTimer = false;
            break;
          case 'connect':
            assert(!hasConnection, 'a second connection');
            hasConnection = true;
            break;
          case 'disconnect':
            hasConnection = false;
            break;
          case 'roster-begin':
            collecting = 0;
            break;
          case 'roster-page':
            collecting += effect.body.peers.length;
            assert(collecting <= 65_536, 'a roster without bound');
            break;
          case 'roster-apply':
            assert(effect.body.to > effect.body.from, 'a delta that leads back');
            break;
          case 'register':
          case 'unregister':
          case 'ping':
          case 'roster-request':
            assert(hasConnection || effects.some(({ kind }) => kind === 'disconnect'), `${effect.kind} without a connection`);
        }
      }
      assert.equal(hasConnection, isConnected(state), `${state.phase} and the connection do not fit`);
      if (state.phase === 'backoff' || state.phase === 'refused' || state.phase === 'greeting' || state.phase === 'registered') assert(hasTimer, `${state.phase} waits for ever`);
      if (state.phase === 'registered') assert(state.heartbeatMs >= 50 && state.heartbeatMs <= 60_000 && state.deadAfter >= 2);
    }
  },
};
