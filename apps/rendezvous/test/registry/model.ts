/** A client as the protocol demands it: takes snapshots and deltas in order, and notices a gap. */
import assert from 'node:assert/strict';
import type { PeerId, RosterDelta, RosterEntry, RosterSnapshot } from '@peerd/protocol';

export class ModelClient {
  readonly roster = new Map<PeerId, RosterEntry>();
  version: number | undefined;
  /** A gap was seen, or no snapshot is complete: a snapshot is needed. */
  gap = false;
  #incoming: RosterEntry[] = [];

  snapshotPage(page: RosterSnapshot): void {
    this.#incoming.push(...page.peers);
    if (!page.last) return;
    assert.equal(new Set(this.#incoming.map(({ id }) => id)).size, this.#incoming.length, 'a peer stands in the snapshot twice');
    this.roster.clear();
    for (const entry of this.#incoming) this.roster.set(entry.id, entry);
    this.#incoming = [];
    this.version = page.version;
    this.gap = false;
  }

  delta(delta: RosterDelta): void {
    if (this.gap) return;
    if (delta.from !== this.version) {
      this.gap = true;
      return;
    }
    for (const id of delta.removes) assert(this.roster.delete(id), 'told of the departure of somebody unknown');
    for (const entry of delta.upserts) this.roster.set(entry.id, entry);
    this.version = delta.to;
  }
}
