import { type Address, encodeCbor, type RosterEntry } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidatesOf, entryBytes } from '../../src/registry/entry.ts';

const host = (name: string, port: number): Address => ({ host: name, port, kind: 'host' });

describe('candidates', () => {
  test('the observed address comes last, with the port of the first candidate', () => {
    expect(candidatesOf([host('10.0.0.2', 12_001), host('10.1.0.2', 7)], '198.51.100.7')).toEqual([
      host('10.0.0.2', 12_001), host('10.1.0.2', 7), { host: '198.51.100.7', port: 12_001, kind: 'observed' },
    ]);
  });
  test('an observed address that is listed is not added', () => {
    expect(candidatesOf([host('10.0.0.2', 1)], '10.0.0.2')).toEqual([host('10.0.0.2', 1)]);
  });
  test('without candidates there is nothing to dial', () => {
    expect(candidatesOf([], '198.51.100.7')).toEqual([]);
  });
  test('a client cannot claim an observation', () => {
    expect(candidatesOf([{ host: '203.0.113.1', port: 1, kind: 'observed' }], '203.0.113.1')).toEqual([host('203.0.113.1', 1)]);
  });
  test('a link-local IPv6 address means nothing to others', () => {
    expect(candidatesOf([host('10.0.0.2', 1)], 'fe80::1%eth0')).toEqual([host('10.0.0.2', 1)]);
  });
  test('duplicates are dropped', () => {
    expect(candidatesOf([host('10.0.0.2', 1), host('10.0.0.2', 1)], '')).toEqual([host('10.0.0.2', 1)]);
  });
});

test('an entry is never larger than its estimate', () => {
  const address = fc.record({ host: fc.string({ unit: 'grapheme', maxLength: 60 }), port: fc.integer({ min: 1, max: 65_535 }), kind: fc.constantFrom('host' as const, 'observed' as const) });
  const entry: fc.Arbitrary<RosterEntry> = fc.record({
    id: fc.constant('a'.repeat(52)), name: fc.string({ unit: 'grapheme', maxLength: 30 }), addresses: fc.array(address, { maxLength: 17 }), epoch: fc.maxSafeNat(),
  });
  fc.assert(
    fc.property(entry, (value) => {
      expect(encodeCbor(value).length).toBeLessThanOrEqual(entryBytes(value));
    }),
  );
});
