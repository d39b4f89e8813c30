CREATE TABLE contacts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  trust TEXT NOT NULL CHECK (trust IN ('pinned', 'verified')),
  addresses TEXT NOT NULL,
  since INTEGER NOT NULL,
  last_seen INTEGER
) STRICT;

CREATE TABLE introduction_requests (
  id TEXT PRIMARY KEY,
  peer TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'declined')),
  received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE messages (
  seq INTEGER PRIMARY KEY,
  peer TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  id TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('sent', 'received')),
  text TEXT NOT NULL,
  sent_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'delivered')),
  stranger INTEGER NOT NULL CHECK (stranger IN (0, 1, 2)),
  UNIQUE (peer, direction, id)
) STRICT;

CREATE INDEX messages_by_peer ON messages (peer, seq);

CREATE INDEX messages_of_strangers ON messages (peer) WHERE stranger = 1;

CREATE INDEX messages_queued ON messages (peer, seq) WHERE state = 'queued';

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

CREATE TABLE rendezvous_pins (
  address TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT;

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
  finished_at INTEGER, compress TEXT NOT NULL DEFAULT 'auto' CHECK (compress IN ('auto', 'off')), traffic TEXT NOT NULL DEFAULT '{}', idle_days INTEGER NOT NULL DEFAULT 0, idle_bytes INTEGER NOT NULL DEFAULT 0, idle_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (direction, peer, id)
) STRICT;

CREATE INDEX transfers_by_age ON transfers (created_at);

CREATE INDEX transfers_by_end ON transfers (finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX transfers_by_id ON transfers (id);

CREATE INDEX transfers_by_key ON transfers (peer, request_key) WHERE request_key IS NOT NULL;

CREATE INDEX transfers_open ON transfers (peer) WHERE finished_at IS NULL OR untold = 1 OR cleaned = 0;
