import { MiB, type Offer } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { checkBounds, checkRoom, isSameOffer, newIncoming } from '../../src/transfer/admission.ts';
import type { TransferRecord } from '../../src/transfer/record.ts';

const offer: Offer = { transfer: '01jd0000000000000000000000', entries: 1, bytes: 10, pages: 1, manifestBytes: 100, offerRoot: Buffer.alloc(32, 1), chunkSize: MiB, conflict: 'rename' };
const from = (peer: string, state: TransferRecord['state'] = 'offered'): TransferRecord => ({ ...newIncoming({ peer, name: peer }, offer, 0), state });
const times = (count: number, make: (index: number) => TransferRecord): TransferRecord[] => Array.from({ length: count }, (_, index) => make(index));

/** The code of the refusal. */
const answer = (incoming: readonly TransferRecord[], { peer = 'mallory', ...more }: Partial<Offer> & { peer?: string } = {}): unknown => {
  try {
    checkBounds({ ...offer, ...more });
    checkRoom({ peer }, { incoming, isContact: (id) => id.startsWith('contact') });
    return 'taken';
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe('offers that are taken into the inbox', () => {
  test('names of 64 MiB, and a conflict policy that is known', () => {
    expect([answer([], { manifestBytes: 64 * MiB }), answer([], { manifestBytes: 64 * MiB + 1 }), answer([], { conflict: 'shred' })]).toEqual(['taken', 'manifest_too_large', 'policy_unknown']);
  });

  test('8 of a stranger, 256 of a contact; those that are decided do not count', () => {
    const decided = times(300, () => from('mallory', 'transferring'));
    expect([answer([...decided, ...times(7, () => from('mallory'))]), answer(times(8, () => from('mallory', 'queued')))]).toEqual(['taken', 'too_many_offers']);
    const contact = { peer: 'contact' };
    expect([answer(times(255, () => from('contact')), contact), answer(times(256, () => from('contact')), contact)]).toEqual(['taken', 'too_many_offers']);
  });

  test('64 of all strangers, which contacts are not', () => {
    const others = (count: number): TransferRecord[] => times(count, (index) => from(`stranger${index % 10}`));
    const contacts = times(100, (index) => from(`contact${index}`));
    expect([answer([...others(63), ...contacts]), answer(others(64)), answer(others(64), { peer: 'contact' })]).toEqual(['taken', 'too_many_offers', 'taken']);
  });

  test('1,000 transfers of one peer that are not over', () => {
    const contact = { peer: 'contact' };
    const running = (count: number): TransferRecord[] => times(count, () => from('contact', 'transferring'));
    expect([answer([...running(999), ...times(500, () => from('contact', 'done'))], contact), answer(running(1_000), contact)]).toEqual(['taken', 'too_many_offers']);
  });

  test('the same offer is equal in everything that was accepted', () => {
    const record = from('mallory');
    expect(isSameOffer(record, offer)).toBe(true);
    const others: readonly Partial<Offer>[] = [{ entries: 2 }, { bytes: 11 }, { pages: 2 }, { manifestBytes: 101 }, { offerRoot: Buffer.alloc(32, 2) }, { chunkSize: 64 * 1_024 }, { conflict: 'overwrite' }];
    expect(others.filter((other) => isSameOffer(record, { ...offer, ...other }))).toEqual([]);
  });
});
