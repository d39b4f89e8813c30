import type { TransfersResponse } from '@peerd/protocol';
import type { Followed } from '../client/follow.ts';

/** The list after an event: no query is needed for what the event itself tells. */
export const reduceTransfers = (document: TransfersResponse, event: Followed): TransfersResponse | 'same' | 'reload' => {
  if (event.kind === 'transfer') {
    const { transfer } = event;
    const known = document.transfers.some(({ id }) => id === transfer.id);
    // Where a new one belongs in the list is the daemon's choice.
    return known ? { transfers: document.transfers.map((other) => (other.id === transfer.id ? transfer : other)) } : 'reload';
  }
  if (event.kind === 'offer') return 'reload';
  if (event.kind !== 'progress') return 'same';
  const { id, bytes, bytesDone } = event;
  return { transfers: document.transfers.map((other) => (other.id === id ? { ...other, bytes, bytesDone } : other)) };
};
