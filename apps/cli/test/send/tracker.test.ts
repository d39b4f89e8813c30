import { type TransferState, transferStates } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exitOf, type SendEvent, SendTracker } from '../../src/send/tracker.ts';
import { carol, chunks, firstId, secondId, transfer } from '../support/fixtures.ts';

const nothing = { skipped: [], warnings: [] };
const kinds = (events: readonly SendEvent[]): string[] => events.map(({ event }) => event);
const finals = new Set(['done', 'rejected', 'cancelled', 'failed']);

const run = (states: readonly TransferState[]): SendEvent[] => {
  const tracker = new SendTracker();
  return [...tracker.start([transfer()], nothing), ...states.flatMap((state) => tracker.observe(transfer({ state }), ['/saved/a']))];
};

test('the way of a transfer that succeeds', () => {
  expect(kinds(run(['connecting', 'offered', 'accepted', 'transferring', 'verifying', 'done']))).toEqual(['queued', 'progress', 'offered', 'accepted', 'progress', 'progress', 'done']);
});

test('states that were missed and states that come twice', () => {
  expect(kinds(run(['transferring', 'transferring', 'done', 'done', 'failed']))).toEqual(['queued', 'accepted', 'done']);
  expect(kinds(run(['done']))).toEqual(['queued', 'done']);
});

test('a link that is lost in between is progress with its state', () => {
  const events = run(['offered', 'transferring', 'connecting', 'transferring', 'done']);
  expect(kinds(events)).toEqual(['queued', 'offered', 'accepted', 'progress', 'progress', 'done']);
  expect(events[3]?.state).toBe('connecting');
});

test('the answer to the request may already tell more', () => {
  expect(kinds(new SendTracker().start([transfer({ state: 'offered' })], nothing))).toEqual(['queued', 'offered']);
});

test('done has the names, failures have their error', () => {
  expect(run(['done']).at(-1)).toMatchObject({ savedAs: ['/saved/a'] });
  const tracker = new SendTracker();
  tracker.start([transfer()], nothing);
  expect(tracker.observe(transfer({ state: 'rejected', error: { code: 'rejected', message: 'too big' } }), undefined)).toMatchObject([{ event: 'rejected', error: { code: 'rejected', message: 'too big' } }]);
});

test('progress of others is ignored', () => {
  const tracker = new SendTracker();
  tracker.start([transfer()], nothing);
  expect(tracker.progress(secondId, 1, 2, chunks)).toEqual([]);
  expect(tracker.progress(firstId, 1, 2, chunks)).toMatchObject([{ event: 'progress', bytesDone: 1, bytes: 2, chunks }]);
});

test('any order of states: queued first, at most one final event, nothing behind it, milestones once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(firstId, secondId), fc.constantFrom(...transferStates)), { maxLength: 30 }), (steps) => {
      const tracker = new SendTracker();
      const events = tracker.start([transfer(), transfer({ id: secondId, peer: carol })], nothing);
      for (const [id, state] of steps) {
        events.push(...tracker.observe(transfer({ id, state }), []));
        events.push(...tracker.progress(id, 1, 2, chunks));
      }
      for (const id of [firstId, secondId]) {
        const told = kinds(events.filter((event) => event.id === id));
        expect(told[0]).toBe('queued');
        const final = told.findIndex((kind) => finals.has(kind));
        expect(final === -1 || final === told.length - 1).toBe(true);
        expect(tracker.unfinished().some((summary) => summary.id === id)).toBe(final === -1);
        for (const kind of ['queued', 'offered', 'accepted']) expect(told.filter((other) => other === kind).length).toBeLessThanOrEqual(1);
      }
    }),
  );
});

describe('exit codes', () => {
  const final = (state: TransferState, code?: string): number => {
    const tracker = new SendTracker();
    tracker.start([transfer()], nothing);
    const [event] = tracker.observe(transfer({ state, ...(code === undefined ? {} : { error: { code, message: 'x' } }) }), []);
    return event === undefined ? -1 : exitOf(event);
  };

  test.each([
    ['done', undefined, 0], ['rejected', 'rejected', 5], ['rejected', undefined, 5], ['cancelled', undefined, 6], ['failed', 'no_space', 7], ['failed', 'trust_changed', 8],
    ['failed', 'partial', 1], ['failed', 'of_the_future', 1], ['failed', undefined, 1],
  ] as const)('%s %s: %i', (state, code, exit) => {
    expect(final(state, code)).toBe(exit);
  });
});
