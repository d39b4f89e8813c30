/** GET /v1/inbox: the offers that wait for a decision, and what they would mean here. */
import type { InboxOffer } from '@peerd/protocol';
import type { Contacts } from '../contacts/ports.ts';
import { countConflicts } from './destination.ts';
import type { TransferEnvironment } from './environment.ts';
import { maxCompared, outlookOf } from './outlook.ts';
import type { TransferRecord } from './record.ts';
import { offerOf } from './view.ts';

export interface InboxSources {
  readonly environment: Pick<TransferEnvironment, 'settings' | 'nameOf'>;
  readonly contacts: Pick<Contacts, 'trustOf'>;
  /** What kept a policy from taking it. */
  readonly why: (record: TransferRecord) => string | undefined;
  readonly signal: AbortSignal;
}

/** Oldest first. Those that are decided meanwhile are left out. */
export const showInbox = async ({ environment, contacts, why, signal }: InboxSources, incoming: readonly TransferRecord[]): Promise<InboxOffer[]> => {
  const { settings: { stateDir, downloadDir: directory }, nameOf } = environment;
  const waiting = incoming.filter(isOffered).sort((a, b) => a.createdAt - b.createdAt);
  const shown: { record: TransferRecord; offer: InboxOffer }[] = [];
  let limit = maxCompared;
  for (const record of waiting) {
    const outlook = await outlookOf({ record, stateDir, directory, limit, signal });
    limit -= Math.min(limit, record.entries);
    const conflicts = await countConflicts(directory, record.topLevel);
    shown.push({ record, offer: offerOf(record, nameOf(record), contacts.trustOf(record.peer, record.peerName), conflicts, outlook, why(record)) });
  }
  return shown.filter(({ record }) => isOffered(record)).map(({ offer }) => offer);
};

const isOffered = ({ state }: TransferRecord): boolean => state === 'offered';
