import assert from 'node:assert/strict';
import { isFinalState, isHeld, newSender, restoredSender, type SenderEvent, senderStep, shownState } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { Choices, walk } from './support.ts';

const end = { code: 'cancelled', message: 'fuzz' };

const event = (choices: Choices): SenderEvent => {
  switch (choices.below(20)) {
    case 0:
      return { type: 'linked' };
    case 1:
      return { type: 'unlinked' };
    case 2:
      return { type: 'manifest-request', fromPage: choices.below(256) };
    case 3:
      return { type: 'offered' };
    case 4:
    case 5:
      return { type: 'accept', matches: choices.below(8) !== 0 };
    case 6:
    case 7:
      return { type: 'have', page: { transfer: '', start: choices.below(256), hashes: Buffer.alloc(0), last: choices.flag() } };
    case 8:
      return { type: choices.pick(['reject', 'cancel', 'failed', 'local-cancel', 'local-failed'] as const), end };
    case 9:
      return { type: 'receipt', valid: choices.flag(), failed: choices.below(3) };
    case 10:
    case 11:
      return { type: 'pause', paused: choices.flag() };
    case 12:
      return { type: 'pause-ack' };
    case 13:
      return { type: choices.pick(['local-pause', 'local-resume'] as const) };
    case 14:
      return { type: 'content-started' };
    case 15:
      return { type: 'content-sent' };
    case 16:
    case 17:
      return { type: 'content-lost', progressed: choices.flag() };
    case 18:
      return { type: 'retry' };
    default:
      return { type: 'forget' };
  }
};

/** Whatever a receiver says, in any order: an end is final, nothing is said without a link, no content flows while it is held. */
export const senderMachine: FuzzTarget = {
  name: 'machine-sender',
  seeds: [Buffer.of(0, 4, 1, 6, 0, 1, 14, 15, 9, 1, 0), Buffer.of(0, 4, 1, 6, 0, 1, 14, 13, 0, 12, 13, 1, 12, 4, 1), walk(200), Buffer.of(0, 4, 1, 6, 0, 1, 16, 0, 18)],
  maxBytes: 512,
  run: (input) => {
    const choices = new Choices(input);
    let state = newSender;
    let isRunning = false;
    while (!choices.isOver) {
      const before = state;
      const what = event(choices);
      // A peer can say something only on a link.
      const isHeardOnly = ['manifest-request', 'offered', 'accept', 'have', 'reject', 'cancel', 'failed', 'receipt', 'pause', 'pause-ack', 'unlinked'].includes(what.type);
      if (isHeardOnly ? !state.linked : what.type === 'linked' && state.linked) continue;
      const { state: next, effects } = senderStep(state, what);
      state = next;
      for (const effect of effects) {
        if (effect.do.startsWith('say-') || effect.do === 'send-pages') assert(before.linked || state.linked, `${effect.do} without a link`);
        if (effect.do === 'start-content') {
          assert(!isRunning && !isHeld(state), 'content begins twice, or while it is held');
          isRunning = true;
        }
        if (effect.do === 'stop-content') isRunning = false;
      }
      if (what.type === 'content-sent' || what.type === 'content-lost') isRunning &&= state.content === 'running';
      assert(!isRunning || state.content === 'running', 'content runs that nobody knows of');
      assert(!isFinalState(before.state) || state.state === before.state, 'an end was left');
      assert(state.unheard >= 0 && state.losses >= 0 && state.losses <= 11);
      assert(isFinalState(state.state) || !state.untold, 'an end is to be told before there is one');
      assert(shownState(state) !== 'paused' || !isFinalState(state.state));
      const restored = restoredSender(state);
      assert(!restored.linked && restored.content === 'none' && isFinalState(restored.state) === isFinalState(state.state));
    }
  },
};
