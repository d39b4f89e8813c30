import assert from 'node:assert/strict';
import { idleVerification, stepVerification, type VerificationEvent, verifyCommitment, type VerifyMessage } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { Choices, walk } from './support.ts';

const context = { self: 'a'.repeat(52), peer: 'b'.repeat(52), keyingMaterial: Buffer.alloc(32, 3) };
const nonces = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 4)];
const theirs = nonces.map((nonce) => verifyCommitment(context.peer, nonce));
const ours = nonces.map((nonce) => verifyCommitment(context.self, nonce));

const message = (choices: Choices): VerifyMessage => {
  const at = choices.below(3);
  const to = ours[choices.below(3)] ?? Buffer.alloc(32);
  switch (choices.below(4)) {
    case 0:
      return { kind: 'verify-commit', body: { commitment: theirs[at] ?? to } };
    case 1:
      return { kind: 'verify-reveal', body: { nonce: nonces[at] ?? to, to } };
    case 2:
      return { kind: 'verify-confirm', body: { to, same: choices.below(4) !== 0 } };
    default:
      return { kind: 'verify-cancel', body: { commitment: theirs[at] ?? to } };
  }
};

const event = (choices: Choices): VerificationEvent => {
  switch (choices.below(8)) {
    case 0:
      return { kind: 'start', nonce: nonces[choices.below(3)] ?? Buffer.alloc(32) };
    case 1:
      return { kind: 'answer', same: choices.below(4) !== 0 };
    case 2:
      return choices.flag() ? { kind: 'stop', end: 'timeout' } : { kind: 'lost' };
    default:
      return { kind: 'message', message: message(choices) };
  }
};

/** Whatever the other side says: verified means that both persons said yes to a code of one pair of commitments. */
export const verificationMachine: FuzzTarget = {
  name: 'machine-verification',
  seeds: [Buffer.of(0, 0, 3, 0, 0, 0, 3, 0, 0, 1, 1, 1, 3, 0, 0, 2, 1), Buffer.of(3, 0, 0, 0, 0, 1, 3, 0, 1, 1, 3, 0, 1, 2, 0, 1, 1), walk(150)],
  maxBytes: 512,
  run: (input) => {
    const choices = new Choices(input);
    let state = idleVerification;
    let isBegun = false;
    let committed: Uint8Array | undefined;
    let yes = { here: false, there: false };
    while (!choices.isOver) {
      const what = event(choices);
      const before = state;
      const { state: next, effects } = stepVerification(state, what, context);
      if (what.kind === 'message' && what.message.kind === 'verify-commit') committed = what.message.body.commitment;
      if (before.phase === 'comparing') {
        if (what.kind === 'answer' && what.same) yes = { ...yes, here: true };
        if (what.kind === 'message' && what.message.kind === 'verify-confirm' && what.message.body.same && Buffer.compare(what.message.body.to, before.ours) === 0) yes = { ...yes, there: true };
      } else yes = { here: false, there: false };
      if (what.kind === 'start' && before.phase === 'idle') isBegun = true;
      state = next;
      for (const effect of effects) {
        if (effect.kind === 'send' && effect.message.kind === 'verify-reveal') assert(committed !== undefined && Buffer.compare(effect.message.body.to, committed) === 0, 'revealed before their commitment');
        if (effect.kind === 'code') assert(what.kind === 'message' && what.message.kind === 'verify-reveal' && committed !== undefined && Buffer.compare(verifyCommitment(context.peer, what.message.body.nonce), committed) === 0, 'a code of a nonce that does not fit');
        if (effect.kind !== 'ended') continue;
        assert(isBegun, 'an end of what nobody began');
        isBegun = false;
        assert(effect.end !== 'verified' || (yes.here && yes.there), 'verified without two who said yes');
      }
      assert.equal(isBegun, state.phase !== 'idle');
    }
  },
};
