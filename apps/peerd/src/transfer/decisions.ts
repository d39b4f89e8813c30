/** What a person, or the policy, does with an offer or a transfer. */
import { type AcceptRequest, isFinalState, PeerdError, reasonMaxBytes, type TransferActionResponse } from '@peerd/protocol';
import type { Contacts } from '../contacts/ports.ts';
import { checkDestination, checkSpace, makeDownloadDirectory } from './destination.ts';
import type { TransferEnvironment } from './environment.ts';
import type { IncomingTransfer } from './incoming.ts';
import type { OutgoingTransfer } from './outgoing.ts';
import type { TransferRecord } from './record.ts';
import { summaryOf } from './view.ts';

type Action = TransferActionResponse['state'];

export interface Decider {
  readonly environment: TransferEnvironment;
  readonly contacts: Pick<Contacts, 'pin' | 'trustOf'>;
}

export const acceptOffer = async ({ environment, contacts }: Decider, record: TransferRecord, transfer: IncomingTransfer | undefined, { to }: AcceptRequest): Promise<TransferActionResponse> => {
  const accepted = (): boolean => record.destination !== undefined && !isIn(record, 'cancelled') && !isIn(record, 'failed');
  if (accepted()) return answer(environment, record, 'already_accepted');
  if (!transfer || isFinalState(record.state)) throw wrongState(record, 'accepted', 'Ask the sender to send it again.');
  if (record.state === 'queued') throw wrongState(record, 'accepted', 'Its manifest is not complete yet: try again when it stands in the inbox.');
  const directory = to ?? environment.settings.downloadDir;
  if (to === undefined) await makeDownloadDirectory(directory);
  else await checkDestination(directory);
  await checkSpace(directory, record.bytes);
  // One's own act. A peer that bears the name of another contact is served as asked, but never takes its place.
  if (contacts.trustOf(record.peer, record.peerName) !== 'changed') await contacts.pin({ id: record.peer, name: record.peerName });
  await transfer.accept(directory);
  if (!accepted()) throw wrongState(record, 'accepted', 'Ask the sender to send it again.');
  return answer(environment, record, 'accepted');
};

/** The policy `auto`. An offer that it can't take stays in the inbox. */
export const acceptByPolicy = async ({ environment, contacts }: Decider, transfer: IncomingTransfer): Promise<boolean> => {
  const { record } = transfer;
  if (environment.settings.accept !== 'auto' || contacts.trustOf(record.peer, record.peerName) === 'changed') return false;
  // What stands in the directory may have come from others: a stranger replaces nothing of it unseen.
  if (record.conflict === 'overwrite' && contacts.trustOf(record.peer, record.peerName) === 'new') return false;
  const directory = environment.settings.downloadDir;
  try {
    await makeDownloadDirectory(directory);
    await checkSpace(directory, record.bytes);
  } catch (error) {
    environment.logger.warn({ err: error, peer: record.peer, transfer: record.id }, 'transfer: an offer cannot be accepted by itself and waits in the inbox');
    return false;
  }
  await transfer.accept(directory);
  return true;
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

/** Asked anew after each await: it may have changed meanwhile. */
const isIn = (record: TransferRecord, state: TransferRecord['state']): boolean => record.state === state;

const answer = (environment: TransferEnvironment, record: TransferRecord, state: Action): TransferActionResponse => ({ transfer: summaryOf(record, environment.nameOf(record)), state });

const wrongState = (record: TransferRecord, wanted: string, hint: string): PeerdError =>
  new PeerdError('wrong_state', `transfer ${record.id} is ${record.state} and cannot be ${wanted}`, { hint });
