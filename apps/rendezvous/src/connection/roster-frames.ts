/**
 * Frames of the roster. An entry is sent far more often than it changes, so it is encoded once, and a page or a delta is put
 * together of such bytes; who gets the same object gets the same frame. Everything goes with the object that it was made of.
 */
import { encodeCbor, joinRosterDelta, joinRosterSnapshot, type RosterDelta, type RosterEntry, type RosterSnapshot } from '@peerd/protocol';

export class RosterFrames {
  readonly #entries = new WeakMap<RosterEntry, Buffer>();
  readonly #frames = new WeakMap<RosterSnapshot | RosterDelta, Buffer>();

  page(page: RosterSnapshot): Buffer {
    return this.#frame(page, () => joinRosterSnapshot(page, this.#encoded(page.peers)));
  }

  delta(delta: RosterDelta): Buffer {
    return this.#frame(delta, () => joinRosterDelta(delta, this.#encoded(delta.upserts)));
  }

  #encoded(entries: readonly RosterEntry[]): Buffer[] {
    return entries.map((entry) => {
      let bytes = this.#entries.get(entry);
      if (!bytes) {
        const encoded = encodeCbor(entry);
        // As large as it is, in no pool: it may stay for days.
        bytes = Buffer.allocUnsafeSlow(encoded.length);
        encoded.copy(bytes);
        this.#entries.set(entry, bytes);
      }
      return bytes;
    });
  }

  #frame(message: RosterSnapshot | RosterDelta, join: () => Buffer): Buffer {
    let frame = this.#frames.get(message);
    if (!frame) {
      frame = join();
      this.#frames.set(message, frame);
    }
    return frame;
  }
}
