import assert from 'node:assert/strict';
import { dataConnectionsTaken, expectsData, isFinalState, isHeld, newReceiver, type ReceiverEvent, receiverStep, restoredReceiver } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { Choices, walk } from './support.ts';

const end = { code: 'integrity', message: 'fuzz' };

const event = (choices: Choices): ReceiverEvent => {
  switch (choices.below(20)) {
    case 0:
      return { type: 'linked' };
    case 1:
      return { type: 'unlinked' };
    case 2:
    case 3:
      return { type: 'offer', paused: choices.below(4) === 0 };
    case 4:
      return { type: 'source-complete' };
    case 5:
      return { type: 'receipt-ack' };
    case 6:
      return { type: choices.pick(['cancel', 'failed', 'local-cancel', 'local-failed', 'local-reject'] as const), end };
    case 7:
      return { type: 'pause', paused: choices.flag() };
    case 8:
      return { type: 'pause-ack' };
    case 9:
      return { type: choices.pick(['local-pause', 'local-resume'] as const) };
    case 10:
      return { type: 'manifest-stored' };
    case 11:
    case 12:
      return { type: 'local-accept' };
    case 13:
      return { type: 'journal-checked' };
    case 14:
    case 15:
      return { type: 'data-opened' };
    case 16:
      return { type: 'data-closed' };
    case 17:
      return { type: 'gaps', end };
    case 18:
      return { type: 'placed', error: choices.flag() ? end : undefined };
    default:
      return { type: 'forget' };
  }
};

/** Whatever a sender says, in any order: nothing is placed without consent, nothing twice, and an end is final. */
export const receiverMachine: FuzzTarget = {
  name: 'machine-receiver',
  seeds: [Buffer.of(2, 1, 10, 11, 13, 14, 4, 16, 18, 0, 5), Buffer.of(2, 1, 10, 11, 13, 14, 9, 0, 16, 8, 9, 1, 8), walk(200), Buffer.of(2, 1, 10, 11, 13, 4, 17, 13, 4, 17)],
  maxBytes: 512,
  run: (input) => {
    const choices = new Choices(input);
    let state = newReceiver;
    let consented = false;
    let data = 0;
    let finishing = false;
    while (!choices.isOver) {
      const before = state;
      const what = event(choices);
      const isHeardOnly = ['offer', 'source-complete', 'receipt-ack', 'cancel', 'failed', 'pause', 'pause-ack', 'unlinked'].includes(what.type);
      if (isHeardOnly ? !state.linked : what.type === 'linked' && state.linked) continue;
      // The neighbour says these only of what it has under way.
      if (what.type === 'data-opened' && !expectsData(state)) continue;
      if (what.type === 'data-closed' && data === 0) continue;
      if ((what.type === 'gaps' || what.type === 'placed') && !finishing) continue;
      if (what.type === 'data-opened') data += 1;
      if (what.type === 'data-closed') data -= 1;
      if (what.type === 'gaps' || what.type === 'placed') finishing = false;
      if (what.type === 'local-accept' && state.state === 'offered') consented = true;
      const { state: next, effects } = receiverStep(state, what);
      state = next;
      for (const effect of effects) {
        if (effect.do.startsWith('say-')) assert(before.linked || state.linked, `${effect.do} without a link`);
        if (['say-accept', 'check-journal', 'say-have', 'finish'].includes(effect.do)) assert(consented, `${effect.do} before consent`);
        if (effect.do === 'check-journal') assert(state.data === 0 && !isHeld(state), 'the journal is checked while chunks come, or while it is held');
        if (effect.do === 'finish') {
          assert(!finishing && state.state === 'verifying', 'placed twice');
          finishing = true;
        }
      }
      assert(!expectsData(state) || (consented && !isFinalState(state.state)), 'content is taken that nobody wants');
      assert.equal(state.data, data);
      assert(!isFinalState(before.state) || state.state === before.state, 'an end was left');
      assert(state.data >= 0 && state.data <= 2 * dataConnectionsTaken && state.gaps <= 3 && state.unheard >= 0);
      assert(isFinalState(state.state) || !state.untold, 'an end is to be told before there is one');
      const restored = restoredReceiver(state);
      assert(!restored.linked && !restored.asked && restored.data === 0 && isFinalState(restored.state) === isFinalState(state.state));
    }
  },
};
