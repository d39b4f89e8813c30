import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeReceiptBody, type ReceiptBody } from '@peerd/protocol';
import { type Identity, loadIdentity } from '@peerd/service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkReceipt, signReceipt } from '../../src/transfer/receipts.ts';
import type { TransferRecord } from '../../src/transfer/record.ts';
import { unkeyed, unstarted } from '../../src/transfer/send.ts';

describe('receipts', () => {
  let directory: string;
  let sender: Identity;
  let receiver: Identity;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'peerd-receipts-'));
    [sender, receiver] = await Promise.all([loadIdentity(join(directory, 'a')), loadIdentity(join(directory, 'b'))]);
  });
  afterAll(() => rm(directory, { recursive: true }));

  const id = '01jd0000000000000000000000';
  const recordOf = (): TransferRecord => ({
    direction: 'send', peer: receiver.id, id, group: undefined, peerName: 'bob', note: undefined, conflict: 'rename', limitRate: undefined, compress: 'auto', priority: 'normal', ...unkeyed, entries: 3, bytes: 1, pages: 1, manifestBytes: 1, chunkSize: 65_536,
    offerRoot: Buffer.alloc(32, 1), createdAt: 0, roots: [], chunks: 1, topLevel: [], ...unstarted, contentRoot: Buffer.alloc(32, 2), cleaned: true, updatedAt: 0,
  });
  const bodyOf = (more: Partial<ReceiptBody> = {}): ReceiptBody => ({
    transfer: id, sender: sender.id, receiver: receiver.id, offerRoot: Buffer.alloc(32, 1), contentRoot: Buffer.alloc(32, 2), receivedAt: 5, durability: 'transfer', delivered: 2, failed: 1, ...more,
  });
  const check = (signed: { body: Buffer; signature: Buffer }, record = recordOf()): ReceiptBody | undefined =>
    checkReceipt(record, sender.id, receiver.publicKey, { transfer: id, ...signed, savedAs: [] });

  test('what the receiver signed is taken', () => {
    expect(check(signReceipt(receiver, bodyOf()))).toMatchObject({ delivered: 2, failed: 1, durability: 'transfer' });
  });

  test('one that is about anything else is not', () => {
    const others: Partial<ReceiptBody>[] = [
      { transfer: '01jd0000000000000000000001' }, { sender: receiver.id }, { receiver: sender.id }, { offerRoot: Buffer.alloc(32, 9) }, { contentRoot: Buffer.alloc(32, 9) }, { delivered: 3 }, { failed: 0 },
    ];
    for (const other of others) expect([other, check(signReceipt(receiver, bodyOf(other)))]).toEqual([other, undefined]);
  });

  test('entries that stayed as they were count only where the sender has asked for it', () => {
    const signed = signReceipt(receiver, bodyOf({ delivered: 1, failed: 0, skipped: 2 }));
    expect(check(signed, { ...recordOf(), conflict: 'skip' })).toMatchObject({ delivered: 1, skipped: 2 });
    expect(check(signed)).toBeUndefined();
    expect(check(signReceipt(receiver, bodyOf({ skipped: 1 })), { ...recordOf(), conflict: 'skip' })).toBeUndefined();
  });

  test('neither is one with another signature or changed bytes, nor one that comes before everything was sent', () => {
    const signed = signReceipt(receiver, bodyOf());
    expect(check({ ...signed, signature: sender.sign(signed.body) })).toBeUndefined();
    expect(check({ ...signed, body: encodeReceiptBody(bodyOf({ receivedAt: 6 })) })).toBeUndefined();
    expect(check({ ...signed, body: Buffer.from('nonsense') })).toBeUndefined();
    expect(check(signed, { ...recordOf(), contentRoot: undefined })).toBeUndefined();
  });
});
