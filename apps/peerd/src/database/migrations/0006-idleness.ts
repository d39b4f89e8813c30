import type { Migration } from './migration.ts';

/**
 * Receiver only, of transfers whose content is to come: `idle_days` were counted without a new byte above `idle_bytes`; the last
 * of them at `idle_at`, or 0 if nobody has looked yet.
 */
export const migration: Migration = {
  id: 6,
  name: 'idleness',
  sql: `
    ALTER TABLE transfers ADD COLUMN idle_days INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE transfers ADD COLUMN idle_bytes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE transfers ADD COLUMN idle_at INTEGER NOT NULL DEFAULT 0;
  `,
};
