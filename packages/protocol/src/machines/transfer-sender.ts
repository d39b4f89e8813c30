/**
 * A transfer as its sender sees it.
 *
 * queued → connecting → offered → accepted → transferring → verifying → done, back to connecting whenever the link ends,
 * and out to rejected, cancelled or failed from everywhere before a final state. While a side holds it, it stays where it
 * is, or goes back to accepted.
 */
import type { Have } from '../messages/have.ts';
import { isHeld, type TransferCore, type TransferEnd, type TransferPhase, unpaused } from './transfer.ts';
import { type Row, type Step, takeStep } from './transfer-table.ts';

export interface SenderState extends TransferCore {
  /** `collecting`: `have` pages arrive. `running`: the content task was started and has not ended. `lost`: it is tried again soon. */
  readonly content: 'none' | 'collecting' | 'running' | 'lost';
  /** Data connections lost in a row, without a chunk sent in between. */
  readonly losses: number;
}

export type SenderEvent =
  | { readonly type: 'linked' }
  | { readonly type: 'unlinked' }
  // What the receiver says
  | { readonly type: 'manifest-request'; readonly fromPage: number }
  | { readonly type: 'offered' }
  /** `matches`: the accepted root is the one that was offered. */
  | { readonly type: 'accept'; readonly matches: boolean }
  | { readonly type: 'have'; readonly page: Have }
  | { readonly type: 'reject'; readonly end: TransferEnd }
  /** `valid`: signature, ids and roots are what they must be. */
  | { readonly type: 'receipt'; readonly valid: boolean; readonly failed: number }
  | { readonly type: 'cancel'; readonly end: TransferEnd }
  | { readonly type: 'failed'; readonly end: TransferEnd }
  | { readonly type: 'pause'; readonly paused: boolean }
  | { readonly type: 'pause-ack' }
  // What happens here
  | { readonly type: 'local-pause' }
  | { readonly type: 'local-resume' }
  | { readonly type: 'content-started' }
  | { readonly type: 'content-sent' }
  | { readonly type: 'content-lost'; readonly progressed: boolean }
  | { readonly type: 'retry' }
  /** It can't be sent at all: the manifest can't be read, the receiver breaks the protocol. */
  | { readonly type: 'local-failed'; readonly end: TransferEnd }
  | { readonly type: 'local-cancel'; readonly end: TransferEnd }
  /** The other side did not come back within the time for which an end is remembered. */
  | { readonly type: 'forget' };

export type SenderEffect =
  /** With our flag of the pause. */
  | { readonly do: 'say-offer' }
  /** `pause`: our flag has changed. */
  | { readonly do: 'say-pause' }
  | { readonly do: 'say-pause-ack' }
  | { readonly do: 'send-pages'; readonly fromPage: number }
  | { readonly do: 'begin-have' }
  | { readonly do: 'add-have'; readonly page: Have }
  | { readonly do: 'start-content' }
  | { readonly do: 'stop-content' }
  | { readonly do: 'retry-later'; readonly losses: number }
  | { readonly do: 'say-source-complete' }
  /** `failed` when it failed here, else `cancel`. */
  | { readonly do: 'say-end' }
  /** `receipt-ack`: it is known how the receiver ended the transfer. */
  | { readonly do: 'say-receipt-ack' };

/** Data connections that may be lost in a row before the transfer is given up. */
const maxDataLosses = 10;

type SenderStep = Step<SenderState, SenderEffect>;
type SenderRow = Row<SenderState, SenderEvent, SenderEffect>;

export const newSender: SenderState = { state: 'queued', linked: false, untold: false, error: undefined, ...unpaused, content: 'none', losses: 0 };

const to = (state: SenderState, change: Partial<SenderState>, ...effects: SenderEffect[]): SenderStep => ({ state: { ...state, ...change }, effects });
const stay = to;

const stopped = (state: SenderState): SenderEffect[] => (state.content === 'running' ? [{ do: 'stop-content' }] : []);

/** The end comes from here: the receiver is told now or on the next link. */
const end = (state: SenderState, phase: TransferPhase, error: TransferEnd): SenderStep =>
  to(state, { state: phase, error, untold: true, ...unpaused, content: 'none' }, ...stopped(state), ...(state.linked ? [{ do: 'say-end' } as const] : []));
/** The end comes from the receiver: it gets the confirmation. */
const ended = (state: SenderState, phase: TransferPhase, error: TransferEnd | undefined): SenderStep =>
  to(state, { state: phase, error, ...unpaused, content: 'none' }, ...stopped(state), { do: 'say-receipt-ack' });

const onAccept: SenderRow['accept'] = (state, { matches }) => {
  if (!matches) return end(state, 'failed', { code: 'manifest_invalid', message: 'the receiver accepted another manifest than the one that was offered' });
  // It was said before the pause was known there; the next one follows its end.
  if (isHeld(state)) return stay(state, {});
  return to(state, { state: 'accepted', content: 'collecting' }, ...stopped(state), { do: 'begin-have' });
};

/** No content from now on. The receiver says `accept` again when nobody holds it any more. */
const halt = (state: SenderState, ...effects: SenderEffect[]): SenderStep =>
  isOpen(state) ? to(state, { state: 'accepted', content: 'none' }, ...stopped(state), ...effects) : stay(state, {}, ...effects);
const isOpen = ({ state }: SenderState): boolean => state === 'accepted' || state === 'transferring' || state === 'verifying';

/** Our flag changes: the receiver is told now, or by the next offer. */
const tell = (state: SenderState, pausedHere: boolean): SenderStep => {
  if (state.pausedHere === pausedHere) return stay(state, {});
  const next = { ...state, pausedHere, unheard: state.linked ? state.unheard + 1 : state.unheard };
  const said: SenderEffect[] = state.linked ? [{ do: 'say-pause' }] : [];
  return pausedHere ? halt(next, ...said) : stay(next, {}, ...said);
};

const onOffered: SenderRow['offered'] = (state) => to(state, { state: 'offered' });
const onManifestRequest: SenderRow['manifest-request'] = (state, { fromPage }) => stay(state, {}, { do: 'send-pages', fromPage });

const onContentLost: SenderRow['content-lost'] = (state, { progressed }) => {
  if (state.content !== 'running') return stay(state, {});
  const losses = progressed ? 1 : state.losses + 1;
  if (losses > maxDataLosses) return end(state, 'failed', { code: 'link_lost', message: `${maxDataLosses} data connections in a row failed` });
  return to(state, { state: 'accepted', content: 'lost', losses }, { do: 'retry-later', losses });
};
/** From `accepted` when no chunk was missing, so that no data connection was needed. */
const onContentSent: SenderRow['content-sent'] = (state) =>
  state.content === 'running' ? to(state, { state: 'verifying', content: 'none', losses: 0 }, { do: 'say-source-complete' }) : stay(state, {});

/** In every state that is not final. */
const unfinished: SenderRow = {
  unlinked: (state) => to(state, { state: 'connecting', linked: false, unheard: 0, content: 'none', losses: 0 }, ...stopped(state)),
  pause: (state, { paused }) => (paused ? halt({ ...state, pausedThere: true }, { do: 'say-pause-ack' }) : stay(state, { pausedThere: false }, { do: 'say-pause-ack' })),
  'pause-ack': (state) => stay(state, { unheard: Math.max(0, state.unheard - 1) }),
  'local-resume': (state) => tell(state, false),
  reject: (state, event) => ended(state, event.end.code === 'rejected' ? 'rejected' : 'failed', event.end),
  cancel: (state, event) => ended(state, 'cancelled', event.end),
  failed: (state, event) => ended(state, 'failed', event.end),
  receipt: (state, { valid, failed }) => {
    if (!valid) return end(state, 'failed', { code: 'integrity', message: 'the receipt is not for what was sent, or not signed by the receiver' });
    if (failed === 0) return ended(state, 'done', undefined);
    return ended(state, 'failed', { code: 'partial', message: `${failed} ${failed === 1 ? 'entry' : 'entries'} could not be delivered; the others were` });
  },
  'local-cancel': (state, event) => end(state, 'cancelled', event.end),
  'local-failed': (state, event) => end(state, 'failed', event.end),
};

/** In the states before everything was sent. */
const pausable: SenderRow = { ...unfinished, 'local-pause': (state) => tell(state, true) };

const confirm = (state: SenderState): SenderStep => stay(state, { untold: false }, { do: 'say-receipt-ack' });

/** In every final state: the receiver is told again what it has not understood, and nothing else happens. */
const final: SenderRow = {
  linked: (state) => stay(state, { linked: true }, ...(state.untold ? [{ do: 'say-end' } as const] : [])),
  unlinked: (state) => stay(state, { linked: false }),
  'manifest-request': (state) => stay(state, {}, { do: 'say-end' }),
  offered: (state) => stay(state, {}, { do: 'say-end' }),
  accept: (state) => stay(state, {}, { do: 'say-end' }),
  // The receiver's end of it, perhaps again because the confirmation was lost.
  receipt: confirm,
  reject: confirm,
  cancel: confirm,
  failed: confirm,
  forget: (state) => stay(state, { untold: false }),
};

const table: Readonly<Record<TransferPhase, SenderRow>> = {
  /** The receiver was never reached. Before: nothing. After: connecting, cancelled, failed. */
  queued: {
    linked: (state) => to(state, { state: 'connecting', linked: true }, { do: 'say-offer' }),
    'local-pause': (state) => tell(state, true),
    'local-resume': (state) => tell(state, false),
    'local-cancel': (state, event) => to(state, { state: 'cancelled', error: event.end, ...unpaused }),
    'local-failed': (state, event) => to(state, { state: 'failed', error: event.end, ...unpaused }),
  },
  /** No answer to the offer on the present link, or no link. Before: queued, and every unfinished state. After: what the answer says. */
  connecting: {
    ...pausable,
    // The answer tells whether the receiver still holds it.
    linked: (state) => stay(state, { linked: true, pausedThere: false, unheard: 0 }, { do: 'say-offer' }),
    'manifest-request': onManifestRequest,
    offered: onOffered,
    accept: onAccept,
  },
  /** The receiver has the manifest; somebody decides. Before: connecting. After: accepted, rejected, connecting. */
  offered: { ...pausable, offered: onOffered, 'manifest-request': onManifestRequest, accept: onAccept },
  /** The receiver wants the content: its `have` pages come, or a data connection is awaited. Before: connecting, offered, transferring, verifying. After: transferring, verifying, connecting. */
  accepted: {
    ...pausable,
    accept: onAccept,
    have: (state, { page }) => {
      if (state.content !== 'collecting') return stay(state, {});
      if (!page.last) return stay(state, {}, { do: 'add-have', page });
      return stay(state, { content: 'running' }, { do: 'add-have', page }, { do: 'start-content' });
    },
    'content-started': (state) => (state.content === 'running' ? to(state, { state: 'transferring' }) : stay(state, {})),
    'content-sent': onContentSent,
    'content-lost': onContentLost,
    retry: (state) => (state.content === 'lost' ? to(state, { state: 'connecting', content: 'none' }, { do: 'say-offer' }) : stay(state, {})),
  },
  /** A data connection carries chunks. Before: accepted. After: verifying, accepted, connecting. */
  transferring: {
    ...pausable,
    accept: onAccept,
    'content-sent': onContentSent,
    'content-lost': onContentLost,
  },
  /** Everything was sent; the receiver checks and places it. Before: transferring, accepted. After: done, failed; accepted when something was missing. */
  verifying: { ...unfinished, accept: onAccept },
  /** The receipt is here. Before: any unfinished state. */
  done: final,
  /** The receiver did not want it. Before: any unfinished state. */
  rejected: final,
  /** Somebody ended it. Before: any unfinished state. */
  cancelled: final,
  /** It could not be completed, or only in part. Before: any unfinished state. */
  failed: final,
};

export const senderStep = (state: SenderState, event: SenderEvent): SenderStep => takeStep(table, state, event);

/** As it is after a restart: what was said on earlier links counts for nothing. */
export const restoredSender = (kept: Pick<TransferCore, 'state' | 'untold' | 'error' | 'pausedHere' | 'pausedThere'>): SenderState => ({
  ...newSender,
  state: ['offered', 'accepted', 'transferring', 'verifying'].includes(kept.state) ? 'connecting' : kept.state,
  untold: kept.untold,
  error: kept.error,
  pausedHere: kept.pausedHere,
  pausedThere: kept.pausedThere,
});
