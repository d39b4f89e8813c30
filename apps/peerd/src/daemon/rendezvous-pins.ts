/** The ids of the rendezvous that were met: pinned on first use. */
import type { PeerId } from '@peerd/protocol';
import type { Database } from '../database/ports.ts';
import type { RendezvousDeps } from '../rendezvous/deps.ts';

export const loadPins = async (database: Database, now: () => number): Promise<RendezvousDeps['pins']> => {
  const rows = await database.all<{ address: string; id: PeerId }>('SELECT address, id FROM rendezvous_pins');
  const ids = new Map(rows.map(({ address, id }) => [address, id]));
  return {
    get: (address) => ids.get(address),
    set: async (address, id) => {
      // First there: not a pin that a restart would forget.
      await database.run('INSERT INTO rendezvous_pins (address, id, since) VALUES (?, ?, ?) ON CONFLICT (address) DO UPDATE SET id = excluded.id, since = excluded.since', address, id, now());
      ids.set(address, id);
    },
  };
};
