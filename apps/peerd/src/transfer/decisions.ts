/** What a person, or the policy, does with an offer or a transfer. */
import { type AcceptRequest, escapeText, isFinalState, PeerdError, type PeerId, reasonMaxBytes, shownState, type TransferActionResponse } from '@peerd/protocol';
import type { Verdict } from '../contacts/grant.ts';
import type { Policies } from '../contacts/policies.ts';
import type { Contacts } from '../contacts/ports.ts';
import type { Link } from '../peer/ports.ts';
import { checkDestination, checkSpace, makeDownloadDirectory, pinDestination } from './destination.ts';
import type { TransferEnvironment } from './environment.ts';
import type { IncomingTransfer } from './incoming.ts';
import { maxTopLevel } from './manifest-intake.ts';
import type { OutgoingTransfer } from './outgoing.ts';
import type { TransferRecord } from './record.ts';
import { summaryOf } from './view.ts';

type Action = TransferActionResponse['state'];

export interface Decider {
  readonly environment: TransferEnvironment;
  readonly contacts: Pick<Contacts, 'pin' | 'trustOf'>;
  readonly policies: Pick<Policies, 'isBlocked' | 'judge' | 'reserve' | 'settle'>;
}

export const acceptOffer = async ({ environment, contacts, policies }: Decider, record: TransferRecord, transfer: IncomingTransfer | undefined, { to }: AcceptRequest): Promise<TransferActionResponse> => {
  const accepted = (): boolean => record.destination !== undefined && !isIn(record, 'cancelled') && !isIn(record, 'failed');
  if (accepted()) return answer(environment, record, 'already_accepted');
  if (policies.isBlocked(record.peer)) throw wrongState(record, 'accepted', 'Its sender is blocked: `peerctl policy PEER ask` first.');
  if (!transfer || isFinalState(record.state)) throw wrongState(record, 'accepted', 'Ask the sender to send it again.');
  if (record.state === 'queued') throw wrongState(record, 'accepted', 'Its manifest is not complete yet: try again when it stands in the inbox.');
  const directory = to ?? environment.settings.downloadDir;
  if (to === undefined) await makeDownloadDirectory(directory);
  else await checkDestination(directory);
  const pinned = await pinDestination(directory);
  await checkSpace(pinned, record.bytes);
  // One's own act. A peer that bears the name of another contact is served as asked, but never takes its place.
  if (contacts.trustOf(record.peer, record.peerName) !== 'changed') await contacts.pin({ id: record.peer, name: record.peerName });
  await transfer.accept(pinned);
  if (!accepted()) throw wrongState(record, 'accepted', 'Ask the sender to send it again.');
  return answer(environment, record, 'accepted');
};

/** What the peer's policy says of an offer that stands in the inbox. */
export const verdictOn = ({ contacts, policies }: Pick<Decider, 'contacts' | 'policies'>, record: TransferRecord): Verdict =>
  policies.judge(record.peer, contacts.trustOf(record.peer, record.peerName), { bytes: record.bytes, names: record.topLevel, cut: record.topLevel.length >= maxTopLevel });

/** What stands in the directory may have come from others: a stranger replaces nothing of it unseen. */
const isDaring = ({ contacts }: Pick<Decider, 'contacts'>, { peer, peerName, conflict }: { peer: PeerId; peerName: string; conflict: string }): boolean =>
  conflict === 'overwrite' && contacts.trustOf(peer, peerName) === 'new';

/** What would become of an offer: where it would go, or why not by itself. */
export const prospectOf = (
  { contacts, policies }: Decider, { peer, name }: Pick<Link, 'peer' | 'name'>, { bytes, names, conflict }: { bytes: number; names: readonly Uint8Array[]; conflict: string },
): 'ask' | 'block' | { into: string | undefined } => {
  const verdict = policies.judge(peer, contacts.trustOf(peer, name), { bytes, names, cut: names.length >= maxTopLevel });
  if (verdict.kind !== 'auto') return verdict.kind;
  return isDaring({ contacts }, { peer, peerName: name, conflict }) ? 'ask' : { into: verdict.into };
};

/** A policy `auto`. An offer that it can't take stays in the inbox; `why` says what kept it from it. */
export const acceptByPolicy = async (decider: Decider, transfer: IncomingTransfer): Promise<{ accepted: boolean; why?: string }> => {
  const { environment, policies } = decider;
  const { record } = transfer;
  const verdict = verdictOn(decider, record);
  const logged = { peer: record.peer, transfer: record.id };
  if (verdict.kind !== 'auto') {
    if (verdict.kind === 'ask' && verdict.why !== undefined) environment.logger.info({ ...logged, why: verdict.why }, 'transfer: an offer is not accepted by itself and waits in the inbox');
    return { accepted: false };
  }
  if (isDaring(decider, record)) return { accepted: false, why: 'only a contact may replace files unseen' };
  const directory = verdict.into ?? environment.settings.downloadDir;
  // Before anything is awaited: of two offers that come at once, the second sees what the first has taken.
  const reserved = policies.reserve(record.peer, record.id, record.bytes);
  let pinned: string;
  try {
    await reserved;
    if (verdict.into === undefined) await makeDownloadDirectory(directory);
    else await checkDestination(directory);
    pinned = await pinDestination(directory);
    await checkSpace(pinned, record.bytes);
  } catch (error) {
    await policies.settle(record.peer, record.id, 0);
    environment.logger.warn({ ...logged, err: error }, 'transfer: an offer cannot be accepted by itself and waits in the inbox');
    return { accepted: false, why: escapeText(error instanceof Error ? error.message : String(error)) };
  }
  await transfer.accept(pinned);
  return { accepted: true };
};

export const rejectOffer = async (environment: TransferEnvironment, record: TransferRecord, transfer: IncomingTransfer | undefined, reason = ''): Promise<TransferActionResponse> => {
  if (Buffer.byteLength(reason) > reasonMaxBytes) throw new PeerdError('invalid_argument', `a reason has at most ${reasonMaxBytes} bytes`, { hint: 'Shorten it.' });
  if (isIn(record, 'rejected')) return answer(environment, record, 'already_rejected');
  if (transfer && isIn(record, 'offered')) await transfer.reject(reason === '' ? 'the receiver does not want it' : reason);
  if (!isIn(record, 'rejected')) throw wrongState(record, 'rejected', isFinalState(record.state) ? 'It is over.' : 'It was accepted already: `peerctl cancel` ends it.');
  return answer(environment, record, 'rejected');
};

export const cancelTransfer = async (environment: TransferEnvironment, record: TransferRecord, transfer: OutgoingTransfer | IncomingTransfer | undefined): Promise<TransferActionResponse> => {
  if (isIn(record, 'cancelled')) return answer(environment, record, 'already_cancelled');
  if (transfer && !isFinalState(record.state)) await transfer.cancel();
  if (!isIn(record, 'cancelled')) throw wrongState(record, 'cancelled', 'It is over.');
  return answer(environment, record, 'cancelled');
};

export const holdTransfer = async (
  environment: TransferEnvironment, record: TransferRecord, transfer: OutgoingTransfer | IncomingTransfer | undefined, paused: boolean,
): Promise<TransferActionResponse> => {
  if (record.pausedHere === paused && !isFinalState(record.state)) return answer(environment, record, paused ? 'already_paused' : 'already_resumed');
  if (transfer && !isFinalState(record.state)) await transfer.hold(paused);
  if (isHeldHere(record) !== paused || isFinalState(record.state))
    throw wrongState(record, paused ? 'paused' : 'resumed', record.state === 'verifying' ? 'Everything has arrived; it is being verified and saved.' : 'It is over.');
  return answer(environment, record, paused ? 'paused' : 'resumed');
};

/** Asked anew after an await: a step may have changed it. */
const isHeldHere = (record: TransferRecord): boolean => record.pausedHere;

/** Asked anew after each await: it may have changed meanwhile. */
const isIn = (record: TransferRecord, state: TransferRecord['state']): boolean => record.state === state;

const answer = (environment: TransferEnvironment, record: TransferRecord, state: Action): TransferActionResponse => ({ transfer: summaryOf(record, environment.nameOf(record)), state });

const wrongState = (record: TransferRecord, wanted: string, hint: string): PeerdError =>
  new PeerdError('wrong_state', `transfer ${record.id} is ${shownState(record)} and cannot be ${wanted}`, { hint });
