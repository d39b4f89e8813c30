import assert from 'node:assert/strict';
import { type IntroductionEvent, type IntroductionState, introductionStep, isIntroductionOver } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { Choices, walk } from './support.ts';

const events: readonly IntroductionEvent[] = ['target_present', 'target_absent', 'over_limit', 'accept', 'refuse', 'postpone', 'deadline', 'target_left', 'asker_left'];

/** Each byte is an event: whoever asks hears once how it ended, unless it left. */
export const introductionMachine: FuzzTarget = {
  name: 'machine-introduction',
  seeds: [Buffer.of(0, 3, 4), Buffer.of(0, 6, 8), walk(9)],
  maxBytes: 64,
  run: (input) => {
    const choices = new Choices(input);
    let state: IntroductionState = 'asked';
    let results = 0;
    while (!choices.isOver) {
      const before: IntroductionState = state;
      const step = introductionStep(state, choices.pick(events));
      state = step.state;
      results += step.effects.filter(({ kind }) => kind === 'result').length;
      assert(!isIntroductionOver(before) || state === before, 'an end was left');
      assert.equal(results, isIntroductionOver(state) && state !== 'dropped' ? 1 : 0);
    }
  },
};
