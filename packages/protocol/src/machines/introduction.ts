/**
 * One introduction as the rendezvous sees it: somebody asks for a peer, the question is forwarded, an answer comes or
 * doesn't, the asking peer learns how it ended. Every introduction that began ends, and its asking peer gets exactly one
 * result unless it has left.
 */
import type { IntroductionResult } from '../messages/introduction-result.ts';

/**
 * - `asked`: before: nothing. After: `forwarded`, or over at once.
 * - `forwarded`: before: `asked`. After: any final state.
 * - final states; `postponed`: a person of the asked peer has to decide, later; `gone`: the asked peer is not (or no longer) there; `limited`: too much was asked for; `dropped`: the
 *   asking peer left, so nobody waits for a result.
 */
export type IntroductionState = 'asked' | 'forwarded' | 'accepted' | 'refused' | 'postponed' | 'timeout' | 'gone' | 'limited' | 'dropped';

export type IntroductionEvent =
  | 'target_present'
  | 'target_absent'
  | 'over_limit'
  | 'accept'
  | 'refuse'
  | 'postpone'
  | 'deadline'
  | 'target_left'
  | 'asker_left';

type IntroductionEffect =
  | { readonly kind: 'forward' }
  | { readonly kind: 'result'; readonly verdict: IntroductionResult['verdict']; readonly pending?: true }
  /** The event means nothing in this state: a late or a second answer, for instance. */
  | { readonly kind: 'ignored' };

export interface IntroductionStep {
  readonly state: IntroductionState;
  readonly effects: readonly IntroductionEffect[];
}

const over = (state: IntroductionState, verdict: IntroductionResult['verdict']): IntroductionStep => ({ state, effects: [{ kind: 'result', verdict }] });
const dropped: IntroductionStep = { state: 'dropped', effects: [] };

const table: Readonly<Record<IntroductionState, Partial<Record<IntroductionEvent, IntroductionStep>>>> = {
  asked: {
    target_present: { state: 'forwarded', effects: [{ kind: 'forward' }] },
    target_absent: over('gone', 'unknown_peer'),
    over_limit: over('limited', 'rate_limited'),
    asker_left: dropped,
  },
  forwarded: {
    accept: over('accepted', 'accepted'),
    refuse: over('refused', 'refused'),
    // For a client that knows nothing of postponing it is a refusal.
    postpone: { state: 'postponed', effects: [{ kind: 'result', verdict: 'refused', pending: true }] },
    deadline: over('timeout', 'timeout'),
    target_left: over('gone', 'unknown_peer'),
    asker_left: dropped,
  },
  accepted: {},
  refused: {},
  postponed: {},
  timeout: {},
  gone: {},
  limited: {},
  dropped: {},
};

/** The next state and what to do. */
export const introductionStep = (state: IntroductionState, event: IntroductionEvent): IntroductionStep =>
  table[state][event] ?? { state, effects: [{ kind: 'ignored' }] };

export const isIntroductionOver = (state: IntroductionState): boolean => state !== 'asked' && state !== 'forwarded';
