import { introductionTimeoutMs } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type IntroductionLimits, type IntroductionMove, Introductions } from '../../src/introduction/introductions.ts';

const plenty: IntroductionLimits = { openPerAsker: 100, openPerTarget: 100, requests: { burst: 1_000, perSecond: 1_000 } };
const verdicts = (moves: readonly IntroductionMove[]): unknown[] =>
  moves.map((move) => (move.kind === 'result' ? [move.asker, move.request, move.verdict] : move.kind === 'ignored' ? move.why : move.kind));

describe('introductions', () => {
  test('asked, forwarded, answered', () => {
    const open = new Introductions(plenty);
    expect(open.ask(1, 7, 2, 0)).toEqual([{ kind: 'forward', target: 2, introduction: 1, asker: 1 }]);
    expect(open.answer(2, 1, 'accepted', 30)).toEqual([{ kind: 'result', asker: 1, request: 7, verdict: 'accepted', target: 2, waitedMs: 30 }]);
    expect(verdicts(open.ask(1, 7, 2, 40))).toEqual(['forward']);
    expect(verdicts(open.answer(2, 2, 'refused', 50))).toEqual([[1, 7, 'refused']]);
    expect(open.open).toBe(0);
  });

  test('foreign, duplicate, late and invented answers are ignored', () => {
    const open = new Introductions(plenty);
    open.ask(1, 7, 2, 0);
    expect(verdicts(open.answer(3, 1, 'accepted', 1))).toEqual(['foreign']);
    expect(verdicts(open.answer(1, 1, 'accepted', 1))).toEqual(['foreign']);
    expect(verdicts(open.answer(2, 9, 'accepted', 1))).toEqual(['unknown']);
    open.answer(2, 1, 'refused', 1);
    expect(verdicts(open.answer(2, 1, 'accepted', 1))).toEqual(['late']);
    open.ask(1, 8, 2, 0);
    open.expire(introductionTimeoutMs);
    expect(verdicts(open.answer(2, 2, 'accepted', introductionTimeoutMs))).toEqual(['late']);
  });

  test('the deadline is the same for everybody, and kept', () => {
    const open = new Introductions(plenty);
    open.ask(1, 1, 2, 0);
    open.ask(1, 2, 2, 100);
    expect(open.nextDeadline).toBe(introductionTimeoutMs);
    expect(open.expire(introductionTimeoutMs - 1)).toEqual([]);
    expect(verdicts(open.expire(introductionTimeoutMs))).toEqual([[1, 1, 'timeout']]);
    expect(open.nextDeadline).toBe(introductionTimeoutMs + 100);
  });

  test('the asked peer leaves: told at once; the asking peer leaves: dropped', () => {
    const open = new Introductions(plenty);
    open.ask(1, 1, 2, 0);
    open.ask(3, 1, 1, 0);
    expect(verdicts(open.left(1, 5))).toEqual(['dropped', [3, 1, 'unknown_peer']]);
    expect([open.open, open.nextDeadline]).toEqual([0, undefined]);
    expect(verdicts(open.answer(2, 1, 'accepted', 6))).toEqual(['late']);
  });

  test('nobody of that id is there', () => {
    expect(verdicts(new Introductions(plenty).ask(1, 1, undefined, 0))).toEqual([[1, 1, 'unknown_peer']]);
  });

  test('a request number that is open is not asked twice', () => {
    const open = new Introductions(plenty);
    open.ask(1, 1, 2, 0);
    expect(verdicts(open.ask(1, 1, 3, 0))).toEqual(['duplicate_request']);
    expect(open.open).toBe(1);
  });

  test('bounds per asking peer, per asked peer, and over time', () => {
    const narrow = new Introductions({ openPerAsker: 2, openPerTarget: 3, requests: { burst: 4, perSecond: 1 } });
    expect(verdicts([1, 2, 3].flatMap((request) => narrow.ask(1, request, 9, 0)))).toEqual(['forward', 'forward', [1, 3, 'rate_limited']]);
    expect(verdicts([1, 2].flatMap((request) => narrow.ask(2, request, 9, 0)))).toEqual(['forward', [2, 2, 'rate_limited']]);
    expect(verdicts(narrow.ask(2, 3, 8, 0))).toEqual(['forward']);
    narrow.answer(9, 1, 'refused', 0);
    expect(verdicts(narrow.ask(1, 4, 8, 0))).toEqual(['forward']);
    narrow.answer(9, 2, 'refused', 0);
    expect(verdicts(narrow.ask(1, 5, 8, 0))).toEqual([[1, 5, 'rate_limited']]);
    expect(verdicts(narrow.ask(1, 6, 8, 1_000))).toEqual(['forward']);
  });
});

const limits: IntroductionLimits = { openPerAsker: 3, openPerTarget: 3, requests: { burst: 8, perSecond: 1 } };
const client = fc.integer({ min: 1, max: 4 });
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), client, target: fc.option(client), request: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), client, number: fc.nat(12), accepted: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('left' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(40_000) }) },
);

test('any interleaving: each question gets exactly one result, unless its asking peer left or repeated it', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const open = new Introductions(limits);
      /** Open questions by asker and request. */
      const asked = new Map<string, { asker: number; target: number | null; at: number }>();
      const forwarded = new Map<number, string>();
      let now = 0;
      const check = (moves: readonly IntroductionMove[]): void => {
        for (const move of moves) {
          if (move.kind === 'result') {
            const key = `${move.asker} ${move.request}`;
            expect(asked.delete(key)).toBe(true);
          } else if (move.kind === 'forward') {
            const entry = [...asked].find(([, question]) => question.asker === move.asker && question.at === -1);
            expect(entry?.[1].target).toBe(move.target);
            if (entry) {
              entry[1].at = now;
              forwarded.set(move.introduction, entry[0]);
            }
          }
        }
      };
      for (const step of actions) {
        if (step.kind === 'wait') {
          now += step.ms;
          check(open.expire(now));
        } else if (step.kind === 'left') {
          const moves = open.left(step.client, now);
          const mine = [...asked].filter(([, question]) => question.asker === step.client);
          expect(moves.filter((move) => move.kind === 'dropped').length).toBe(mine.length);
          for (const [key] of mine) asked.delete(key);
          check(moves);
          expect([...asked.values()].some((question) => question.target === step.client)).toBe(false);
        } else if (step.kind === 'ask') {
          const key = `${step.client} ${step.request}`;
          if (asked.has(key)) {
            expect(verdicts(open.ask(step.client, step.request, step.target ?? undefined, now))).toEqual(['duplicate_request']);
            continue;
          }
          asked.set(key, { asker: step.client, target: step.target, at: -1 });
          check(open.ask(step.client, step.request, step.target ?? undefined, now));
        } else {
          const key = forwarded.get(step.number);
          const question = key === undefined ? undefined : asked.get(key);
          const moves = open.answer(step.client, step.number, step.accepted ? 'accepted' : 'refused', now);
          if (moves.some((move) => move.kind === 'result')) expect(question?.target).toBe(step.client);
          check(moves);
        }
        expect(open.open).toBe(asked.size);
        for (const side of ['asker', 'target'] as const)
          for (const id of [1, 2, 3, 4]) expect([...asked.values()].filter((question) => question[side] === id).length).toBeLessThanOrEqual(3);
      }
      check(open.expire(now + introductionTimeoutMs));
      expect([asked.size, open.open, open.nextDeadline]).toEqual([0, 0, undefined]);
    }),
    { numRuns: 1_000 },
  );
});
