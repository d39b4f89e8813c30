/**
 * Comparing codes over one link, as one side sees it. Both sides run the same machine, in any order of beginning:
 *
 *   idle ──start──▶ committed ──their commitment──▶ revealed ──their nonce──▶ comparing ──both say yes──▶ verified
 *
 * - Our nonce leaves only after their commitment is here, and theirs must fit it: neither side can choose its nonce by the
 *   other's, so whoever stands between two links has one try at a code of 39 bits.
 * - Within an attempt there is one commitment of each side. A second one, or a message before its turn, is no accident: the
 *   attempt ends as `broken`.
 * - Messages of attempts that are over are told apart by the commitments that they name, and change nothing.
 */
import type { PeerId } from '../ids.ts';
import type { VerifyMessage } from '../messages/sets.ts';
import { verifyCode, verifyCommitment } from '../verification.ts';

/** - `theirs`: the other side has begun and waits for us. Before: nothing, or any end. After: `committed`, `revealed`. */
interface Idle {
  readonly phase: 'idle';
  readonly theirs: Uint8Array | undefined;
}

/** Our commitment is out, theirs is not here. Before: `idle`. After: `revealed`, any end. */
interface Committed {
  readonly phase: 'committed';
  readonly nonce: Uint8Array;
  readonly ours: Uint8Array;
}

/** Both commitments are here, our nonce is out. Before: `idle`, `committed`. After: `comparing`, any end. */
interface Revealed {
  readonly phase: 'revealed';
  readonly nonce: Uint8Array;
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
}

/** The code is shown. Before: `revealed`. After: any end. */
interface Comparing {
  readonly phase: 'comparing';
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
  readonly code: string;
  /** Who has said yes. A no is the end. */
  readonly weSay: boolean;
  readonly theySay: boolean;
}

export type VerificationState = Idle | Committed | Revealed | Comparing;

/**
 * - `mismatch`: one of the persons saw another code. `broken`: the other side did not keep to its commitment or to the order.
 * - `cancelled`, `timeout`: given up by the other side or by us; `lost`: the link ended.
 */
export type VerificationEnd = 'verified' | 'mismatch' | 'broken' | 'cancelled' | 'timeout' | 'lost';

export type VerificationEvent =
  /** Our person wants it. The nonce is fresh randomness. */
  | { readonly kind: 'start'; readonly nonce: Uint8Array }
  | { readonly kind: 'answer'; readonly same: boolean }
  | { readonly kind: 'stop'; readonly end: 'cancelled' | 'timeout' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'message'; readonly message: VerifyMessage };

export type VerificationEffect =
  | { readonly kind: 'send'; readonly message: VerifyMessage }
  /** The other side's person waits for ours; or does no more. */
  | { readonly kind: 'asked'; readonly waiting: boolean }
  | { readonly kind: 'code'; readonly code: string }
  /** Of an attempt that our person began. */
  | { readonly kind: 'ended'; readonly end: VerificationEnd };

/** One link. */
export interface VerificationContext {
  readonly self: PeerId;
  readonly peer: PeerId;
  readonly keyingMaterial: Uint8Array;
}

interface Step {
  readonly state: VerificationState;
  readonly effects: readonly VerificationEffect[];
}

export const idleVerification: VerificationState = { phase: 'idle', theirs: undefined };

export const stepVerification = (state: VerificationState, event: VerificationEvent, context: VerificationContext): Step => {
  switch (event.kind) {
    case 'start':
      return state.phase === 'idle' ? start(state, event.nonce, context) : same(state);
    case 'answer':
      return state.phase === 'comparing' ? answer(state, event.same) : same(state);
    case 'stop':
      return state.phase === 'idle' ? same(state) : end(state, event.end);
    case 'lost':
      if (state.phase !== 'idle') return { state: idleVerification, effects: [{ kind: 'ended', end: 'lost' }] };
      return { state: idleVerification, effects: state.theirs ? [{ kind: 'asked', waiting: false }] : [] };
    case 'message':
      return read(state, event.message, context);
  }
};

const start = ({ theirs }: Idle, nonce: Uint8Array, { self }: VerificationContext): Step => {
  const ours = verifyCommitment(self, nonce);
  const commit: VerificationEffect = send('verify-commit', { commitment: ours });
  if (!theirs) return { state: { phase: 'committed', nonce, ours }, effects: [commit] };
  return { state: { phase: 'revealed', nonce, ours, theirs }, effects: [{ kind: 'asked', waiting: false }, commit, send('verify-reveal', { nonce, to: theirs })] };
};

const answer = (state: Comparing, yes: boolean): Step => {
  if (state.weSay) return same(state);
  const confirm = send('verify-confirm', { to: state.theirs, same: yes });
  if (!yes) return { state: idleVerification, effects: [confirm, { kind: 'ended', end: 'mismatch' }] };
  if (state.theySay) return { state: idleVerification, effects: [confirm, { kind: 'ended', end: 'verified' }] };
  return { state: { ...state, weSay: true }, effects: [confirm] };
};

const read = (state: VerificationState, message: VerifyMessage, context: VerificationContext): Step => {
  switch (message.kind) {
    case 'verify-commit':
      return committed(state, message.body.commitment);
    case 'verify-cancel':
      return cancelled(state, message.body.commitment);
    case 'verify-reveal':
      return isOurs(state, message.body.to) ? revealed(state, message.body.nonce, context) : over(state, message.body.to);
    case 'verify-confirm':
      return isOurs(state, message.body.to) ? confirmed(state, message.body.same) : over(state, message.body.to);
  }
};

const committed = (state: VerificationState, theirs: Uint8Array): Step => {
  switch (state.phase) {
    case 'idle':
      return { state: { phase: 'idle', theirs }, effects: [{ kind: 'asked', waiting: true }] };
    case 'committed':
      return { state: { ...state, phase: 'revealed', theirs }, effects: [send('verify-reveal', { nonce: state.nonce, to: theirs })] };
    case 'revealed':
    case 'comparing':
      // It may have seen our nonce by now.
      return end(state, 'broken');
  }
};

const revealed = (state: VerificationState, nonce: Uint8Array, { self, peer, keyingMaterial }: VerificationContext): Step => {
  // Seen already: a second time it says nothing new.
  if (state.phase === 'idle' || state.phase === 'comparing') return same(state);
  if (state.phase === 'committed' || !equal(verifyCommitment(peer, nonce), state.theirs)) return end(state, 'broken');
  const code = verifyCode({ id: self, nonce: state.nonce }, { id: peer, nonce }, keyingMaterial);
  return { state: { phase: 'comparing', ours: state.ours, theirs: state.theirs, code, weSay: false, theySay: false }, effects: [{ kind: 'code', code }] };
};

const confirmed = (state: VerificationState, yes: boolean): Step => {
  if (state.phase === 'idle') return same(state);
  // Nobody can have compared yet.
  if (state.phase !== 'comparing') return end(state, 'broken');
  if (!yes) return { state: idleVerification, effects: [{ kind: 'ended', end: 'mismatch' }] };
  if (state.weSay) return { state: idleVerification, effects: [{ kind: 'ended', end: 'verified' }] };
  return same({ ...state, theySay: true });
};

const cancelled = (state: VerificationState, theirs: Uint8Array): Step => {
  if (!('theirs' in state) || !state.theirs || !equal(state.theirs, theirs)) return same(state);
  if (state.phase === 'idle') return { state: idleVerification, effects: [{ kind: 'asked', waiting: false }] };
  return end(state, 'cancelled');
};

/** Told, so that the other side does not show an attempt that is over as one that waits. */
const end = (state: Committed | Revealed | Comparing, how: VerificationEnd): Step => ({
  state: idleVerification, effects: [send('verify-cancel', { commitment: state.ours }), { kind: 'ended', end: how }],
});

/** A message to an attempt of ours that is over. */
const over = (state: VerificationState, ours: Uint8Array): Step => ({ state, effects: [send('verify-cancel', { commitment: ours })] });

const isOurs = (state: VerificationState, commitment: Uint8Array): boolean => state.phase !== 'idle' && equal(state.ours, commitment);

const send = <Kind extends VerifyMessage['kind']>(kind: Kind, body: Extract<VerifyMessage, { readonly kind: Kind }>['body']): VerificationEffect =>
  ({ kind: 'send', message: { kind, body } as VerifyMessage });

const same = (state: VerificationState): Step => ({ state, effects: [] });

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
