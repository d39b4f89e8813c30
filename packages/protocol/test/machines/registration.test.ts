import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ErrorCode, idleRegistration, PeerdError, type RegistrationEvent, type RegistrationState, type RosterDelta, type RosterEntry, stepRegistration,
} from '../../src/index.ts';

const random = 0.5;
const simple = (kind: 'start' | 'stop' | 'leave' | 'come' | 'connected' | 'heard' | 'changed'): RegistrationEvent => ({ kind });
const [start, stop, leave, come, connected, heard, changed] = (['start', 'stop', 'leave', 'come', 'connected', 'heard', 'changed'] as const).map(simple) as [
  RegistrationEvent, RegistrationEvent, RegistrationEvent, RegistrationEvent, RegistrationEvent, RegistrationEvent, RegistrationEvent,
];
const due: RegistrationEvent = { kind: 'due', random };
const registered: RegistrationEvent = { kind: 'registered', body: { epoch: 1, observedHost: '192.0.2.1', leaseMs: 30_000, heartbeatMs: 10_000 } };
const lost = (code: ErrorCode, details?: Record<string, unknown>): RegistrationEvent => ({
  kind: 'lost',
  random,
  error: new PeerdError(code, code, details ? { details } : {}),
});
const peer = (name: string): RosterEntry => ({ id: name.padEnd(52, 'a'), name, addresses: [], epoch: 1 });
const snapshot = (version: number, names: string[], last = true): RegistrationEvent => ({ kind: 'snapshot', random, body: { version, peers: names.map(peer), last } });
const delta = (from: number, to: number): RegistrationEvent => ({ kind: 'delta', body: { from, to, upserts: [], removes: [] } });

/** Phases and effects as one line per event. */
const log = (events: readonly RegistrationEvent[]): string[] => {
  let state: RegistrationState = idleRegistration;
  return events.map((event) => {
    const step = stepRegistration(state, event);
    state = step.state;
    return [state.phase, ...step.effects.map((effect) => ('ms' in effect ? `timer ${effect.ms}` : 'have' in effect ? `${effect.kind} ${effect.have}` : effect.kind))].join(', ');
  });
};
const up = [start, connected, registered];
const after = (...events: RegistrationEvent[]): string[] => log([...up, ...events]).slice(up.length);

describe('registration', () => {
  test('connects, registers, beats', () => {
    expect(log([...up, due, heard, changed])).toEqual([
      'connecting, no-timer, connect',
      'greeting, register, timer 10000',
      'registered, timer 10000',
      'registered, ping, timer 10000',
      'registered',
      'registered, register',
    ]);
  });

  test('nothing heard for a lease: reconnects', () => {
    expect(after(due, due, heard, due, due, due)).toEqual([
      'registered, ping, timer 10000',
      'registered, ping, timer 10000',
      'registered',
      'registered, ping, timer 10000',
      'registered, ping, timer 10000',
      'backoff, disconnect, roster-clear, timer 125',
    ]);
  });

  test('no answer to the registration: gives up and tries again', () => {
    expect(log([start, connected, due, due])).toEqual([
      'connecting, no-timer, connect',
      'greeting, register, timer 10000',
      'backoff, disconnect, roster-clear, timer 125',
      'connecting, no-timer, connect',
    ]);
  });

  test('backoff doubles up to its ceiling, and starts anew after a connection that lasted', () => {
    const failing = Array.from({ length: 9 }, () => [lost('rendezvous_unreachable'), due]).flat();
    const delays = log([start, ...failing]).flatMap((line) => /timer (\d+)/.exec(line)?.[1] ?? []);
    expect(delays.map(Number)).toEqual([125, 250, 500, 1_000, 2_000, 4_000, 7_500, 7_500, 7_500]);
    expect(log([start, ...failing, connected, registered, lost('link_lost')]).at(-1)).toContain('timer 7500');
    expect(log([start, ...failing, connected, registered, due, lost('link_lost')]).at(-1)).toContain('timer 125');
  });

  test.each([
    ['wrong_key', 'refused, roster-clear, timer 45000'],
    ['room_secret_wrong', 'refused, roster-clear, timer 45000'],
    ['superseded', 'refused, roster-clear, timer 45000'],
    ['removed', 'refused, roster-clear, timer 45000'],
    ['rendezvous_full', 'refused, roster-clear, timer 125'],
    ['slow_consumer', 'backoff, roster-clear, timer 125'],
    ['lease_expired', 'backoff, roster-clear, timer 125'],
  ] as const)('%s: %s', (code, line) => {
    expect(after(lost(code), due)).toEqual([line, 'connecting, no-timer, connect']);
  });

  test('retiring: comes back when it was asked to, within reason', () => {
    expect(after(lost('retiring', { retryAfterMs: 5_000 }))).toEqual(['backoff, roster-clear, timer 5500']);
    expect(after(lost('retiring', { retryAfterMs: 1e12 }))).toEqual(['backoff, roster-clear, timer 600500']);
  });

  test('leaves and comes back, wherever it is', () => {
    expect(after(leave, due, lost('link_lost'), come)).toEqual(['left, unregister, disconnect, roster-clear, no-timer', 'left', 'left', 'connecting, no-timer, connect']);
    expect(log([start, leave]).at(-1)).toBe('left, disconnect, roster-clear, no-timer');
    expect(log([start, lost('link_lost'), leave]).at(-1)).toBe('left, roster-clear, no-timer');
    expect(after(stop, come, due)).toEqual(['idle, unregister, disconnect, roster-clear, no-timer', 'idle', 'idle']);
  });

  test('the roster: pages, deltas, a gap', () => {
    expect(after(delta(0, 1), snapshot(4, ['a'], false), delta(4, 5), snapshot(4, ['b']), delta(2, 4), delta(4, 5), delta(6, 7), delta(7, 8), due, snapshot(8, ['c']), delta(8, 9))).toEqual([
      'registered',
      'registered, roster-begin, roster-page',
      'registered',
      'registered, roster-page, roster-commit',
      'registered',
      'registered, roster-apply',
      'registered, roster-request 5',
      'registered',
      'registered, ping, roster-request 5, timer 10000',
      'registered, roster-begin, roster-page, roster-commit',
      'registered, roster-apply',
    ]);
  });

  test('a roster without end is refused', () => {
    const names = Array.from({ length: 256 }, (_, index) => `n${index}`);
    expect(after(...Array.from({ length: 257 }, () => snapshot(1, names, false))).at(-1)).toBe('backoff, disconnect, roster-clear, timer 250');
  });

  test('any loss of deltas: after the next snapshot the client holds what the server has', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ set: fc.nat(5), value: fc.nat(100), lost: fc.boolean() }), { maxLength: 30 }), (changes) => {
        const server = new Map<number, number>();
        let held = new Map<number, number>();
        let state = up.reduce((current: RegistrationState, event) => stepRegistration(current, event).state, idleRegistration);
        const deltas: Map<RosterDelta, [number, number]> = new Map();
        let version = 1;
        const feed = (event: RegistrationEvent): void => {
          const step = stepRegistration(state, event);
          state = step.state;
          for (const effect of step.effects) {
            if (effect.kind === 'roster-commit') held = new Map(server);
            if (effect.kind === 'roster-apply') held.set(...(deltas.get(effect.body) ?? [0, 0]));
            if (effect.kind === 'roster-request') feed(snapshot(version, []));
          }
        };
        feed(snapshot(version, []));
        for (const change of [...changes, { set: 9, value: 9, lost: false }]) {
          const body: RosterDelta = { from: version, to: version + 1, upserts: [], removes: [] };
          deltas.set(body, [change.set, change.value]);
          server.set(change.set, change.value);
          version += 1;
          if (!change.lost) feed({ kind: 'delta', body });
        }
        expect(held).toEqual(server);
      }),
    );
  });
});
