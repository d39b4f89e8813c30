import { describe, expect, test } from 'vitest';
import { PeerdError } from '@peerd/protocol';
import { checkClock, checkRendezvous } from '../../src/doctor/rendezvous.ts';
import { checkConsent, checkInbox, checkSettings } from '../../src/doctor/process.ts';
import type { RendezvousReading } from '../../src/rendezvous/ports.ts';

const reading = (state: 'registered' | 'connecting' | 'left' | 'refused', more: Partial<RendezvousReading> = {}): RendezvousReading => ({ status: { address: 'r:12000', id: null, state }, announced: [], ...more });

describe('the rendezvous', () => {
  test.each([
    ['registered', {}, 'ok'],
    ['registered', { roundTripMs: 5_000 }, 'warn'],
    ['left', {}, 'ok'],
    ['connecting', {}, 'fail'],
    ['refused', {}, 'fail'],
  ] as const)('%s %j: %s', (state, more, judged) => expect(checkRendezvous([reading(state, more)])).toMatchObject([{ name: 'rendezvous:r:12000', state: judged }]));

  test('none', () => expect(checkRendezvous([])).toMatchObject([{ state: 'warn' }]));

  test('what it says of itself is escaped', () => expect(checkRendezvous([reading('registered', { agent: 'x\u001b[31m' })])[0]?.message).toContain('x\\x1b[31m'));
});

describe('the clock', () => {
  const now = Date.UTC(2026, 0, 1);
  test.each([
    ['nothing to compare with', [], now - 1, 'ok'],
    ['agrees', [reading('registered', { clockAheadMs: -900 })], now - 1, 'ok'],
    ['the rendezvous is ahead', [reading('registered', { clockAheadMs: 60_000 })], now - 1, 'warn'],
    ['files of the future', [reading('registered', { clockAheadMs: 0 })], now + 60_000, 'fail'],
  ])('%s', (_, readings, keptAt, state) => expect(checkClock(readings, now, keptAt)).toMatchObject({ name: 'clock', state }));
});

test('settings that changed, and that would be refused', () => {
  expect(checkSettings(() => false)).toMatchObject({ state: 'ok' });
  expect(checkSettings(() => true)).toMatchObject({ state: 'warn' });
  const refused = (): never => {
    throw new PeerdError('invalid_settings', 'peerd.toml: rom is no setting', { hint: 'Settings are: room.' });
  };
  expect(checkSettings(refused)).toEqual({ name: 'settings', state: 'fail', message: 'peerd could not start again: peerd.toml: rom is no setting', hint: 'Settings are: room.' });
});

test('what nobody has to confirm, and a full inbox', () => {
  expect([checkConsent('ask').state, checkConsent('auto').state, checkInbox(0).state, checkInbox(60).state]).toEqual(['ok', 'warn', 'ok', 'warn']);
});
