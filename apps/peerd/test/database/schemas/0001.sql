CREATE TABLE contacts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  trust TEXT NOT NULL CHECK (trust IN ('pinned', 'verified')),
  addresses TEXT NOT NULL,
  since INTEGER NOT NULL,
  last_seen INTEGER
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

CREATE TABLE rendezvous_pins (
  address TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT;
