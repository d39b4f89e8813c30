import type { Migration } from './migration.ts';

/**
 * Where the entries of STATE/receipts.log stand. The row with the largest `seq` is the head: it is written after its entry
 * is on stable storage, so that a log that was cut is found. What is over is listed by its end.
 */
export const migration: Migration = {
  id: 3,
  name: 'receipts',
  sql: `
    CREATE TABLE receipts (
      seq INTEGER PRIMARY KEY,
      offset INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      hash BLOB NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('sent', 'received')),
      peer TEXT NOT NULL,
      transfer TEXT NOT NULL
    ) STRICT;
    CREATE INDEX receipts_by_transfer ON receipts (transfer);
    CREATE INDEX transfers_by_end ON transfers (finished_at) WHERE finished_at IS NOT NULL;
  `,
};
