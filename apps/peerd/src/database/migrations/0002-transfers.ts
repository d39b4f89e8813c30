import type { Migration } from './migration.ts';

/**
 * Times are milliseconds since 1970. `paused_here`, `paused_there`: which sides hold it. `untold`: the other side has not confirmed that it knows the end. `cleaned`: nothing
 * of ours is left in the destination. `roots` (what is sent), `top_level` (names in it, cut) and
 * `skipped_runs` (entries that stayed as they were) are CBOR; `stages` is JSON.
 */
export const migration: Migration = {
  id: 2,
  name: 'transfers',
  sql: `
    CREATE TABLE transfers (
      direction TEXT NOT NULL CHECK (direction IN ('send', 'receive')),
      peer TEXT NOT NULL,
      id TEXT NOT NULL,
      group_id TEXT,
      peer_name TEXT NOT NULL,
      note TEXT,
      conflict TEXT NOT NULL CHECK (conflict IN ('rename', 'fail', 'overwrite', 'skip')),
      limit_rate INTEGER,
      priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
      request_key TEXT,
      request_digest TEXT,
      entries INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      pages INTEGER NOT NULL,
      manifest_bytes INTEGER NOT NULL,
      chunks INTEGER NOT NULL,
      chunk_size INTEGER NOT NULL,
      offer_root BLOB NOT NULL,
      roots BLOB,
      top_level BLOB,
      state TEXT NOT NULL,
      untold INTEGER NOT NULL CHECK (untold IN (0, 1)),
      cleaned INTEGER NOT NULL CHECK (cleaned IN (0, 1)),
      error_code TEXT,
      error_message TEXT,
      paused_here INTEGER NOT NULL CHECK (paused_here IN (0, 1)),
      paused_there INTEGER NOT NULL CHECK (paused_there IN (0, 1)),
      destination TEXT,
      content_root BLOB,
      bytes_done INTEGER NOT NULL,
      sent INTEGER NOT NULL,
      received INTEGER NOT NULL,
      reused INTEGER NOT NULL,
      rewritten INTEGER NOT NULL,
      stages TEXT NOT NULL,
      receipt_body BLOB,
      receipt_signature BLOB,
      saved_as BLOB,
      skipped INTEGER NOT NULL,
      skipped_runs BLOB,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      offered_at INTEGER,
      decided_at INTEGER,
      finished_at INTEGER,
      PRIMARY KEY (direction, peer, id)
    ) STRICT;
    CREATE INDEX transfers_by_id ON transfers (id);
    CREATE INDEX transfers_by_key ON transfers (peer, request_key) WHERE request_key IS NOT NULL;
    CREATE INDEX transfers_by_age ON transfers (created_at);
    CREATE INDEX transfers_open ON transfers (peer) WHERE finished_at IS NULL OR untold = 1 OR cleaned = 0;

    CREATE TABLE transfer_failures (
      direction TEXT NOT NULL,
      peer TEXT NOT NULL,
      id TEXT NOT NULL,
      entry INTEGER NOT NULL,
      code TEXT NOT NULL,
      message TEXT NOT NULL,
      PRIMARY KEY (direction, peer, id, entry),
      FOREIGN KEY (direction, peer, id) REFERENCES transfers (direction, peer, id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE transfer_placements (
      direction TEXT NOT NULL DEFAULT 'receive' CHECK (direction = 'receive'),
      peer TEXT NOT NULL,
      id TEXT NOT NULL,
      entry INTEGER NOT NULL,
      name BLOB NOT NULL,
      inode INTEGER NOT NULL,
      placed INTEGER NOT NULL CHECK (placed IN (0, 1)),
      PRIMARY KEY (direction, peer, id, entry),
      FOREIGN KEY (direction, peer, id) REFERENCES transfers (direction, peer, id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
  `,
};
