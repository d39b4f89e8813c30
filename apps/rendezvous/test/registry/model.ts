/** A client as the protocol demands it: takes snapshots and deltas in order, and notices a gap. */
import type { PeerId, RosterDelta, RosterEntry, RosterSnapshot } from '@peerd/protocol';
import { expect } from 'vitest';

export class ModelClient {
  readonly roster = new Map<PeerId, RosterEntry>();
  version: number | undefined;
  /** A gap was seen, or no snapshot is complete: a snapshot is needed. */
  gap = false;
  #incoming: RosterEntry[] = [];

  snapshotPage(page: RosterSnapshot): void {
    this.#incoming.push(...page.peers);
    if (!page.last) return;
    expect(new Set(this.#incoming.map(({ id }) => id)).size).toBe(this.#incoming.length);
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
    for (const id of delta.removes) {
      // Nobody is told of the departure of somebody it didn't know.
      expect(this.roster.delete(id)).toBe(true);
    }
    for (const entry of delta.upserts) this.roster.set(entry.id, entry);
    this.version = delta.to;
  }
}
