/** Which offers are taken into the inbox: nobody fills the disk before somebody has decided. */
import { conflictPolicies, type ConflictPolicy, escapeText, isFinalState, isConflictPolicy, manifestMaxBytes, manifestMaxPages, type Offer, PeerdError } from '@peerd/protocol';
import type { Link } from '../peer/ports.ts';
import type { TransferRecord } from './record.ts';
import { unkeyed, unstarted } from './send.ts';

/** Undecided offers: of one peer that is no contact, of all of these, of one contact. */
const maxOffersOfStranger = 8;
const maxOffersOfStrangers = 64;
const maxOffersOfContact = 256;
/** Transfers of one peer that are not over. */
const maxUnfinished = 1_000;

export interface Admission {
  readonly incoming: readonly TransferRecord[];
  readonly isContact: (peer: string) => boolean;
}

const undecided = (record: TransferRecord): boolean => record.state === 'queued' || record.state === 'offered';

/** What an offer says of itself, whatever is here already. @throws PeerdError `policy_unknown`, `manifest_too_large` */
export const checkBounds = (offer: Offer): void => {
  policyOf(offer);
  if (offer.manifestBytes > manifestMaxBytes)
    throw new PeerdError('manifest_too_large', `the manifest has ${offer.manifestBytes} bytes, at most ${manifestMaxBytes} are stored before consent`);
  if (offer.pages > manifestMaxPages) throw new PeerdError('manifest_too_large', `the manifest has ${offer.pages} pages, at most ${manifestMaxPages} are taken`);
};

/** @throws PeerdError `too_many_offers` */
export const checkRoom = (link: Pick<Link, 'peer'>, { incoming, isContact }: Admission): void => {
  const ofPeer = incoming.filter((record) => record.peer === link.peer);
  const waiting = ofPeer.filter(undecided).length;
  const contact = isContact(link.peer);
  if (waiting >= (contact ? maxOffersOfContact : maxOffersOfStranger)) throw new PeerdError('too_many_offers', `${waiting} offers of this peer wait for a decision already`);
  if (!contact && incoming.filter((record) => undecided(record) && !isContact(record.peer)).length >= maxOffersOfStrangers)
    throw new PeerdError('too_many_offers', 'too many offers of peers that are no contacts wait for a decision already');
  if (ofPeer.filter((record) => !isFinalState(record.state)).length >= maxUnfinished) throw new PeerdError('too_many_offers', 'too many transfers of this peer are not over yet');
};

const policyOf = ({ conflict }: Offer): ConflictPolicy => {
  if (isConflictPolicy(conflict)) return conflict;
  throw new PeerdError('policy_unknown', `the receiver does not know the conflict policy "${escapeText(conflict)}", only ${conflictPolicies.join(', ')}`, { hint: 'Send with one of these.' });
};

export const newIncoming = (link: Pick<Link, 'peer' | 'name'>, offer: Offer, now: number): TransferRecord => ({
  direction: 'receive',
  peer: link.peer,
  id: offer.transfer,
  group: offer.group,
  peerName: link.name,
  note: offer.note,
  conflict: policyOf(offer),
  priority: 'normal',
  ...unkeyed,
  limitRate: undefined,
  compress: 'auto',
  entries: offer.entries,
  bytes: offer.bytes,
  pages: offer.pages,
  manifestBytes: offer.manifestBytes,
  chunkSize: offer.chunkSize,
  offerRoot: Buffer.from(offer.offerRoot),
  createdAt: now,
  roots: [],
  // Known with the manifest.
  chunks: 0,
  topLevel: [],
  ...unstarted,
  cleaned: false,
  updatedAt: now,
});

/** Whether an offer that came again is the one that is known. */
export const isSameOffer = (record: TransferRecord, offer: Offer): boolean =>
  Buffer.compare(record.offerRoot, offer.offerRoot) === 0 && record.entries === offer.entries && record.bytes === offer.bytes &&
  record.pages === offer.pages && record.manifestBytes === offer.manifestBytes && record.chunkSize === offer.chunkSize && record.conflict === offer.conflict;
