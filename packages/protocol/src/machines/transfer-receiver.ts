/**
 * A transfer as its receiver sees it.
 *
 * queued → offered → (connecting →) accepted → transferring → verifying → done, back to connecting whenever the link ends
 * before everything has arrived, and out to rejected, cancelled or failed from everywhere before a final state. While a side
 * holds it, it stays where it is before consent, and is connecting after it.
 */
import { isHeld, type TransferCore, type TransferEnd, type TransferPhase, unpaused } from './transfer.ts';
import { type Row, type Step, takeStep } from './transfer-table.ts';

export interface ReceiverState extends TransferCore {
  /** The offer came on the present link. Before that nothing is said on it: an answer on our own account would be given twice. */
  readonly asked: boolean;
  /** `ready`: what the journal claims was checked, since the last chunk of an earlier round, so `have` pages are true. */
  readonly journal: 'stale' | 'checking' | 'ready';
  /** `accept` was said on this link and its `have` pages were not. */
  readonly owesHave: boolean;
  /** Data connections that are being read. */
  readonly data: number;
  /** `source-complete` came while data connections were still being read. */
  readonly complete: boolean;
  /** Grows with each `accept`, within this process. A data connection belongs to the round for which it was opened: one that comes later would bring chunks again. */
  readonly round: number;
  /** How often chunks were missing when all should have been there. */
  readonly gaps: number;
}

export type ReceiverEvent =
  | { readonly type: 'linked' }
  | { readonly type: 'unlinked' }
  // What the sender says
  | { readonly type: 'offer'; readonly paused: boolean }
  | { readonly type: 'source-complete' }
  | { readonly type: 'receipt-ack' }
  | { readonly type: 'cancel'; readonly end: TransferEnd }
  | { readonly type: 'failed'; readonly end: TransferEnd }
  | { readonly type: 'pause'; readonly paused: boolean }
  | { readonly type: 'pause-ack' }
  // What happens here
  | { readonly type: 'local-pause' }
  | { readonly type: 'local-resume' }
  | { readonly type: 'restarted' }
  | { readonly type: 'manifest-stored' }
  | { readonly type: 'local-accept' }
  | { readonly type: 'local-reject'; readonly end: TransferEnd }
  | { readonly type: 'local-cancel'; readonly end: TransferEnd }
  | { readonly type: 'journal-checked' }
  | { readonly type: 'data-opened' }
  | { readonly type: 'data-closed' }
  /** Chunks are missing, or are not the ones of the content root, although the sender has sent everything. */
  | { readonly type: 'gaps'; readonly end: TransferEnd }
  /** `error` when some entries could not be delivered. */
  | { readonly type: 'placed'; readonly error: TransferEnd | undefined }
  /** Nothing can be delivered: a refused manifest, a full disk, false content, an expired offer. */
  | { readonly type: 'local-failed'; readonly end: TransferEnd }
  /** The other side did not come back within the time for which an end is remembered. */
  | { readonly type: 'forget' };

export type ReceiverEffect =
  | { readonly do: 'request-manifest' }
  | { readonly do: 'say-offered' }
  | { readonly do: 'say-accept' }
  | { readonly do: 'check-journal' }
  | { readonly do: 'say-have' }
  /** `pause`: our flag, when it has changed or an offer has come. */
  | { readonly do: 'say-pause' }
  | { readonly do: 'say-pause-ack' }
  | { readonly do: 'close-data' }
  /** Give up the check of the journal; close staging and journal once the last data connection was read. */
  | { readonly do: 'rest' }
  /** Check that all is there, place it, sign the receipt. */
  | { readonly do: 'finish' }
  /** The message for the final state: `receipt` when there is one, else `reject`, `cancel` or `failed`. */
  | { readonly do: 'say-end' };

/** Rounds of `have` and content that may end with chunks missing. */
const maxGaps = 3;
/** Data connections of one transfer that are read at a time, as `accept` says. */
export const dataConnectionsTaken = 8;
/** Each of them, and the one that replaces it while its last bytes are stored. */
const maxData: number = 2 * dataConnectionsTaken;

type ReceiverStep = Step<ReceiverState, ReceiverEffect>;
type ReceiverRow = Row<ReceiverState, ReceiverEvent, ReceiverEffect>;

export const newReceiver: ReceiverState = {
  state: 'queued', linked: true, asked: false, untold: false, error: undefined, ...unpaused, journal: 'stale', owesHave: false, data: 0, complete: false, round: 0, gaps: 0,
};

const to = (state: ReceiverState, change: Partial<ReceiverState>, ...effects: ReceiverEffect[]): ReceiverStep => ({ state: { ...state, ...change }, effects });
const stay = to;

const closed = (state: ReceiverState): ReceiverEffect[] => (state.data > 0 ? [{ do: 'close-data' }] : []);

const end = (state: ReceiverState, phase: TransferPhase, error: TransferEnd | undefined, told: boolean): ReceiverStep =>
  to(state, { state: phase, error, untold: !told, ...unpaused, owesHave: false, complete: false }, ...closed(state), ...(state.linked ? [{ do: 'say-end' } as const] : []));

/** Says `accept`, and `have` as soon as it is true and no chunk of an earlier round can still arrive. Nothing while somebody holds it. */
const consent = (state: ReceiverState): ReceiverStep => {
  if (isHeld(state)) return hold(state);
  const journal = state.journal === 'checking' ? 'checking' : 'stale';
  if (!state.asked) return proceed({ ...state, state: 'connecting', journal, owesHave: false, complete: false });
  const { state: next, effects } = proceed({ ...state, state: 'accepted', journal, owesHave: true, complete: false, round: state.round + 1 });
  return { state: next, effects: [...closed(state), { do: 'say-accept' }, ...effects] };
};
const proceed = (state: ReceiverState): ReceiverStep => {
  if (state.data > 0 || isHeld(state)) return stay(state, {});
  if (state.journal === 'stale') return to(state, { journal: 'checking' }, { do: 'check-journal' });
  if (state.journal === 'ready' && state.owesHave) return to(state, { owesHave: false }, { do: 'say-have' });
  return stay(state, {});
};

const hold = (state: ReceiverState): ReceiverStep =>
  to(state, { state: 'connecting', journal: 'stale', owesHave: false, complete: false }, ...closed(state), { do: 'rest' });

/** Our flag changes: the sender is told now, or in answer to its next offer. */
const tell = (state: ReceiverState, pausedHere: boolean): ReceiverStep =>
  state.pausedHere === pausedHere
    ? stay(state, {})
    : to(state, { pausedHere, unheard: state.asked ? state.unheard + 1 : state.unheard }, ...(state.asked ? [{ do: 'say-pause' } as const] : []));
const hear = (state: ReceiverState, paused: boolean): ReceiverStep => to(state, { pausedThere: paused }, { do: 'say-pause-ack' });
const heard = (state: ReceiverState): ReceiverStep => to(state, { unheard: Math.max(0, state.unheard - 1) });

/** The answer to an offer begins with our flag when it is set. */
const onOffer = (state: ReceiverState, paused: boolean): ReceiverStep => {
  const asked = { ...state, asked: true, pausedThere: paused };
  return asked.pausedHere ? to(asked, { unheard: asked.unheard + 1 }, { do: 'say-pause' }) : to(asked, {});
};

/** One step after another. */
const andThen = (first: ReceiverStep, next: (state: ReceiverState) => ReceiverStep): ReceiverStep => {
  const { state, effects } = next(first.state);
  return { state, effects: [...first.effects, ...effects] };
};
const say =
  (...effects: ReceiverEffect[]) =>
  (state: ReceiverState): ReceiverStep => stay(state, {}, ...effects);

/** Content stops when somebody begins to hold it, and a new round begins when the last one lets go. */
const held = (before: ReceiverState, flagged: ReceiverStep): ReceiverStep =>
  isHeld(before) === isHeld(flagged.state) ? flagged : andThen(flagged, consent);

const finish = (state: ReceiverState): ReceiverStep => to(state, { state: 'verifying', complete: false }, { do: 'finish' });

/** In every state that is not final. */
const unfinished: ReceiverRow = {
  linked: (state) => stay(state, { linked: true, asked: false, unheard: 0 }),
  unlinked: (state) => stay(state, { linked: false, asked: false, unheard: 0 }),
  pause: (state, { paused }) => hear(state, paused),
  'pause-ack': heard,
  'local-resume': (state) => tell(state, false),
  cancel: (state, event) => end(state, 'cancelled', event.end, true),
  failed: (state, event) => end(state, 'failed', event.end, true),
  'local-cancel': (state, event) => end(state, 'cancelled', event.end, false),
  'local-failed': (state, event) => end(state, 'failed', event.end, false),
};

/** In the states between consent and the last chunk. */
const wanted: ReceiverRow = {
  ...unfinished,
  unlinked: (state) => to(state, { state: 'connecting', linked: false, asked: false, unheard: 0, owesHave: false, complete: false }, ...closed(state)),
  offer: (state, { paused }) => andThen(onOffer(state, paused), consent),
  pause: (state, { paused }) => held(state, hear(state, paused)),
  'pause-ack': (state) => held(state, heard(state)),
  'local-pause': (state) => held(state, tell(state, true)),
  'local-resume': (state) => held(state, tell(state, false)),
  'journal-checked': (state) => (state.journal === 'checking' ? proceed({ ...state, journal: 'ready' }) : stay(state, {})),
  'data-closed': (state) => {
    const left = { ...state, data: Math.max(0, state.data - 1) };
    if (left.data > 0) return stay(left, {});
    if (left.complete) return finish(left);
    return left.owesHave ? proceed(left) : stay(left, {});
  },
};

/** In the states in which content may come. */
const open: ReceiverRow = {
  ...wanted,
  'data-opened': (state) => (expectsData(state) ? to(state, { state: 'transferring', data: state.data + 1 }) : stay(state, {})),
  'source-complete': (state) => {
    // It belongs to a round that a new `accept` has made void.
    if (state.owesHave || state.journal !== 'ready') return stay(state, {});
    return state.data === 0 ? finish(state) : stay(state, { complete: true });
  },
};

/** In every final state: the sender is told again what it has not understood, and nothing else happens. */
const final: ReceiverRow = {
  linked: (state) => stay(state, { linked: true }, ...(state.untold ? [{ do: 'say-end' } as const] : [])),
  unlinked: (state) => stay(state, { linked: false }),
  offer: (state) => stay(state, {}, { do: 'say-end' }),
  cancel: (state) => stay(state, { untold: false }, { do: 'say-end' }),
  failed: (state) => stay(state, { untold: false }, { do: 'say-end' }),
  'receipt-ack': (state) => stay(state, { untold: false }),
  'data-closed': (state) => stay(state, { data: Math.max(0, state.data - 1) }),
  forget: (state) => stay(state, { untold: false }),
};

const table: Readonly<Record<TransferPhase, ReceiverRow>> = {
  /** The manifest is not here yet. Before: nothing. After: offered, failed, cancelled. */
  queued: {
    ...unfinished,
    'local-pause': (state) => tell(state, true),
    offer: (state, { paused }) => andThen(onOffer(state, paused), say({ do: 'request-manifest' })),
    'manifest-stored': (state) => to(state, { state: 'offered' }, ...(state.asked ? [{ do: 'say-offered' } as const] : [])),
  },
  /** Somebody decides. Before: queued. After: accepted, connecting, rejected. */
  offered: {
    ...unfinished,
    'local-pause': (state) => tell(state, true),
    offer: (state, { paused }) => andThen(onOffer(state, paused), say({ do: 'say-offered' })),
    'local-accept': consent,
    'local-reject': (state, event) => end(state, 'rejected', event.end, false),
  },
  /** Wanted, but the sender is away or has not offered again. Before: offered, accepted, transferring, verifying. After: accepted. */
  connecting: { ...wanted, restarted: proceed },
  /** `accept` was said; the journal is checked, `have` is said, a data connection is awaited. Before: offered, connecting, transferring, verifying. After: transferring, verifying, connecting. */
  accepted: open,
  /** Chunks come. Before: accepted. After: verifying, accepted, connecting. */
  transferring: open,
  /** All chunks should be here: they are checked and placed, whether the sender is there or not. Before: accepted, transferring. After: done, failed; accepted or connecting when chunks are missing. */
  verifying: {
    ...unfinished,
    // The receipt will be the answer.
    offer: (state, { paused }) => stay(state, { asked: true, pausedThere: paused }),
    restarted: (state) => stay(state, {}, { do: 'finish' }),
    gaps: (state, event) => (state.gaps < maxGaps ? consent({ ...state, gaps: state.gaps + 1 }) : end(state, 'failed', event.end, false)),
    placed: (state, { error }) => end(state, error ? 'failed' : 'done', error, false),
  },
  /** Everything stands under its final name, and the receipt is signed. Before: verifying. */
  done: final,
  /** Somebody did not want it. Before: offered. */
  rejected: final,
  /** Somebody ended it. Before: any unfinished state. */
  cancelled: final,
  /** It could not be completed, or only in part. Before: any unfinished state. */
  failed: final,
};

export const receiverStep = (state: ReceiverState, event: ReceiverEvent): ReceiverStep => takeStep(table, state, event);

/** Whether the sender may open a data connection now. */
export const expectsData = (state: ReceiverState): boolean =>
  state.linked && (state.state === 'accepted' || state.state === 'transferring') && state.journal === 'ready' && !state.owesHave && state.data < maxData;

/** As it is after a restart: what was said on earlier links counts for nothing. Then comes the event `restarted`. */
export const restoredReceiver = (kept: Pick<TransferCore, 'state' | 'untold' | 'error' | 'pausedHere' | 'pausedThere'>): ReceiverState => ({
  ...newReceiver,
  linked: false,
  state: kept.state === 'accepted' || kept.state === 'transferring' ? 'connecting' : kept.state,
  untold: kept.untold,
  error: kept.error,
  pausedHere: kept.pausedHere,
  pausedThere: kept.pausedThere,
});
