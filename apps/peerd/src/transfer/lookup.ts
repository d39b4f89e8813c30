/** From what a person typed to one transfer: any unique prefix of an id names it. */
import { PeerdError, shortPeerId, shownState } from '@peerd/protocol';
import type { Direction, TransferRecord } from './record.ts';
import type { TransferStore } from './store.ts';

const maxCandidates = 10;

/** @param prefer chooses among several: the only one for which it holds */
export const findTransfer = async (store: TransferStore, typed: string, direction?: Direction, prefer?: (record: TransferRecord) => boolean): Promise<TransferRecord> => {
  const prefix = typed.toLowerCase();
  if (!/^[0-9a-z]{1,26}$/.test(prefix)) throw new PeerdError('invalid_argument', 'a transfer id is up to 26 letters and digits', { hint: 'Any unique beginning of an id will do: `peerctl transfers` lists them.' });
  const found = await store.withPrefix(prefix, direction, maxCandidates + 1);
  const preferred = prefer && found.length > 1 ? found.filter(prefer) : found;
  const [first, second] = preferred.length === 0 ? found : preferred;
  if (!first) throw new PeerdError('not_found', `there is no ${direction === 'receive' ? 'offer' : 'transfer'} ${prefix}`, { hint: direction === 'receive' ? '`peerctl inbox` lists the offers.' : '`peerctl transfers` lists them.' });
  if (!second) return first;
  const candidates = found.slice(0, maxCandidates).map((record) => ({ id: record.id, direction: record.direction, peer: record.peer, state: shownState(record) }));
  throw new PeerdError('ambiguous_id', `${prefix} fits ${found.length > maxCandidates ? `more than ${maxCandidates}` : found.length} transfers: ${candidates.slice(0, 3).map(({ id, peer }) => `${id} (${shortPeerId(peer)})`).join(', ')}${found.length > 3 ? ', …' : ''}`, {
    hint: 'Type more of the id.', details: { candidates },
  });
};
