import { encodeMessage, type RosterDelta, rosterDelta, type RosterEntry, type RosterSnapshot, rosterSnapshot } from '@peerd/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RosterFrames } from '../../src/connection/roster-frames.ts';

const id = fc.string({ unit: fc.constantFrom('a', 'z', '2', '7'), minLength: 52, maxLength: 52 });
const uint = fc.oneof(fc.nat(), fc.maxSafeNat());
const entry: fc.Arbitrary<RosterEntry> = fc.record({
  id, epoch: uint,
  name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 16 }),
  addresses: fc.array(fc.record({ host: fc.string({ minLength: 1, maxLength: 255 }), port: fc.integer({ min: 1, max: 65_535 }), kind: fc.constantFrom('host', 'observed') }), { maxLength: 3 }),
});
/** With each width of a count: below 24, one byte, two bytes. */
const some = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.oneof(fc.array(item, { maxLength: 3 }), fc.array(item, { minLength: 23, maxLength: 25 }), fc.array(item, { minLength: 255, maxLength: 256 }));

test('frames are byte for byte those that the message definitions make', () => {
  const frames = new RosterFrames();
  fc.assert(
    fc.property(some(entry), uint, uint, fc.boolean(), fc.array(id, { maxLength: 30 }), (entries, from, to, last, removes) => {
      const page: RosterSnapshot = { version: to, peers: entries, last };
      expect(frames.page(page).equals(encodeMessage(rosterSnapshot, page))).toBe(true);
      // Now of entries that are known.
      const delta: RosterDelta = { from, to, upserts: entries, removes };
      expect(frames.delta(delta).equals(encodeMessage(rosterDelta, delta))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('who gets the same page or delta gets the same frame', () => {
  const frames = new RosterFrames();
  const page: RosterSnapshot = { version: 1, peers: [], last: true };
  expect(frames.page(page)).toBe(frames.page(page));
  expect(frames.page({ ...page })).not.toBe(frames.page(page));
});

test('a page that is too large is no frame', () => {
  const addresses = Array.from({ length: 17 }, () => ({ host: 'x'.repeat(255), port: 65_535, kind: 'observed' as const }));
  const peers = Array.from({ length: 256 }, () => ({ id: 'a'.repeat(52), name: 'x', addresses, epoch: 1 }));
  expect(() => new RosterFrames().page({ version: 1, peers, last: true })).toThrow(/roster-snapshot has \d+ bytes/);
});
