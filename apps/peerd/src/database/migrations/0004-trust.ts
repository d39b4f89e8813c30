import type { Migration } from './migration.ts';

/**
 * Policies of peers, whether they are contacts or not; `name` is what a person called them then. `used_bytes` of a grant was delivered; what transfers under way may
 * still deliver is reserved apart, so that it is given back when they don't.
 */
export const migration: Migration = {
  id: 4,
  name: 'trust',
  sql: `
    CREATE TABLE policies (
      peer TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('ask', 'auto', 'block')),
      destination TEXT,
      max_bytes INTEGER,
      pattern TEXT,
      until INTEGER,
      used_bytes INTEGER NOT NULL,
      since INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE policy_reservations (
      peer TEXT NOT NULL REFERENCES policies (peer) ON DELETE CASCADE,
      transfer TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      PRIMARY KEY (peer, transfer)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE introduction_requests (
      id TEXT PRIMARY KEY,
      peer TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'declined')),
      received_at INTEGER NOT NULL
    ) STRICT;
  `,
};
