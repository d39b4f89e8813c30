import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type IntroductionEvent, introductionStep, type IntroductionState, isIntroductionOver } from '../../src/machines/introduction.ts';

const events: readonly IntroductionEvent[] = ['target_present', 'target_absent', 'over_limit', 'accept', 'refuse', 'deadline', 'target_left', 'asker_left'];

/** Feeds events to a new introduction and keeps the log of states and effects. */
const run = (sequence: readonly IntroductionEvent[]) => {
  let state: IntroductionState = 'asked';
  const log = [];
  for (const event of sequence) {
    const step = introductionStep(state, event);
    log.push({ before: state, event, ...step });
    state = step.state;
  }
  return { state, log };
};

describe('introduction', () => {
  test.each([
    [['target_present', 'accept'], 'accepted', ['forward', 'accepted']],
    [['target_present', 'refuse'], 'refused', ['forward', 'refused']],
    [['target_present', 'deadline'], 'timeout', ['forward', 'timeout']],
    [['target_present', 'target_left'], 'gone', ['forward', 'unknown_peer']],
    [['target_present', 'asker_left'], 'dropped', ['forward']],
    [['target_absent'], 'gone', ['unknown_peer']],
    [['over_limit'], 'limited', ['rate_limited']],
    [['asker_left'], 'dropped', []],
    [['target_present', 'accept', 'refuse'], 'accepted', ['forward', 'accepted', 'ignored']],
    [['target_present', 'deadline', 'accept'], 'timeout', ['forward', 'timeout', 'ignored']],
    [['accept'], 'asked', ['ignored']],
  ] satisfies [IntroductionEvent[], IntroductionState, string[]][])('%j ends %s with %j', (sequence, state, effects) => {
    const result = run(sequence);
    expect(result.state).toBe(state);
    expect(result.log.flatMap((step) => step.effects.map((effect) => (effect.kind === 'result' ? effect.verdict : effect.kind)))).toEqual(effects);
  });

  test('any sequence: at most one forward, then at most one result, and a final state is never left', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 20 }), (sequence) => {
        const { state, log } = run(sequence);
        const kinds = log.flatMap((step) => step.effects.map((effect) => effect.kind)).filter((kind) => kind !== 'ignored');
        expect([[], ['forward'], ['result'], ['forward', 'result']]).toContainEqual(kinds);
        expect(kinds.includes('result')).toBe(isIntroductionOver(state) && state !== 'dropped');
        for (const step of log) if (isIntroductionOver(step.before)) expect(step).toMatchObject({ state: step.before, effects: [{ kind: 'ignored' }] });
      }),
    );
  });

  test('a forwarded introduction is ended by whatever happens first', () => {
    fc.assert(
      fc.property(fc.constantFrom<IntroductionEvent>('accept', 'refuse', 'deadline', 'target_left', 'asker_left'), (event) => {
        expect(isIntroductionOver(run(['target_present', event]).state)).toBe(true);
      }),
    );
  });
});
