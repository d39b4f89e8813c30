import { generateKeyPairSync, sign } from 'node:crypto';
import { appendFile, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeReceiptBody, peerIdOfPublicKey, type ReceiptRole } from '@peerd/protocol';
import { createLogger } from '@peerd/service';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import type { Database } from '../../src/database/ports.ts';
import { openReceiptLog } from '../../src/receipts/log.ts';
import type { NewReceipt, ReceiptCheck, ReceiptLog } from '../../src/receipts/ports.ts';

const signer = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return { spki, id: peerIdOfPublicKey(spki), sign: (bytes: Buffer) => sign(null, bytes, privateKey) };
};
const self = signer();
const other = signer();
const transferId = (index: number): string => `01jdaqv3z8k5c9x7w2m4n6${String(index).padStart(4, '0')}`;

const receipt = (index: number, role: ReceiptRole = index % 2 === 0 ? 'sent' : 'received'): NewReceipt => {
  const [sender, receiver] = role === 'sent' ? [self, other] : [other, self];
  const body = encodeReceiptBody({
    transfer: transferId(index), sender: sender.id, receiver: receiver.id, offerRoot: Buffer.alloc(32, 1), contentRoot: Buffer.alloc(32, 2),
    receivedAt: 1_800_000_000_000 + index, durability: 'transfer', delivered: 1, failed: 0,
  });
  return { role, body, signature: receiver.sign(body), signer: receiver.spki };
};

interface Place {
  readonly directory: string;
  readonly database: Database;
  readonly path: string;
  open(): Promise<ReceiptLog>;
}

const makePlace = async (): Promise<Place> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-receipts-'));
  const database = await openDatabase({ stateDir: directory, onLoss: () => {}, onFailure: () => {} });
  onTestFinished(async () => {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    directory, database, path: join(directory, 'receipts.log'),
    open: () => openReceiptLog({ stateDir: directory, database, self: self.id, logger: createLogger('test', 'silent') }),
  };
};

const verify = (log: ReceiptLog): Promise<ReceiptCheck> => log.verify(new AbortController().signal);

/** A place with a log of `count` receipts that is closed. */
const filled = async (count: number): Promise<Place> => {
  const place = await makePlace();
  const log = await place.open();
  for (let index = 0; index < count; index += 1) await log.append(receipt(index));
  await log.close();
  return place;
};

const reopened = async (place: Place): Promise<ReceiptLog> => {
  const log = await place.open();
  onTestFinished(() => log.close());
  return log;
};

describe('the log of receipts', () => {
  test('an empty one is valid; its file is for its owner only', async () => {
    const place = await makePlace();
    const log = await reopened(place);
    expect(await verify(log)).toEqual({ intact: 0, written: 0, problem: undefined });
    expect((await stat(place.path)).mode & 0o777).toBe(0o600);
  });

  test('what is appended at once is listed newest first, found, and valid; also after a restart', async () => {
    const place = await makePlace();
    const first = await place.open();
    await Promise.all(Array.from({ length: 70 }, (_, index) => first.append(receipt(index))));
    const before = await first.list(0, 100);
    await first.close();
    const log = await reopened(place);
    expect(await log.list(0, 100)).toEqual(before);
    expect(before.total).toBe(70);
    expect(before.receipts.map(({ transfer }) => transfer)).toEqual(Array.from({ length: 70 }, (_, index) => transferId(69 - index)));
    expect((await log.list(60, 5)).receipts.map(({ seq }) => seq)).toEqual([10, 9, 8, 7, 6]);
    expect((await log.find({ role: 'received', peer: other.id, transfer: transferId(3) }))?.content?.body).toMatchObject({ transfer: transferId(3), sender: other.id });
    expect(await log.find({ role: 'sent', peer: other.id, transfer: transferId(3) })).toBeUndefined();
    expect(await verify(log)).toEqual({ intact: 70, written: 70, problem: undefined });
  });

  test('a receipt that comes again is not written again', async () => {
    const log = await reopened(await filled(3));
    await log.append(receipt(1));
    expect((await log.list(0, 10)).total).toBe(3);
    await log.append(receipt(3));
    expect(await verify(log)).toEqual({ intact: 4, written: 4, problem: undefined });
  });

  test('an entry that was written just before the end, without the head, is taken over', async () => {
    const place = await filled(3);
    await place.database.run('DELETE FROM receipts WHERE seq = 3');
    const log = await reopened(place);
    expect(await verify(log)).toEqual({ intact: 3, written: 3, problem: undefined });
    await log.append(receipt(2));
    await log.append(receipt(3));
    expect(await verify(log)).toEqual({ intact: 4, written: 4, problem: undefined });
  });

  test('interrupted at any byte of an append: what was reported is there, the rest is gone, and the log goes on', async () => {
    const place = await filled(3);
    const whole = await readFile(place.path);
    const row = await place.database.get<{ offset: number }>('SELECT offset FROM receipts WHERE seq = 3');
    await place.database.run('DELETE FROM receipts WHERE seq = 3');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: row?.offset ?? 0, max: whole.length - 1 }), fc.boolean(), async (end, zeros) => {
        // The size may be on the disk before all of the bytes are.
        await writeFile(place.path, zeros ? Buffer.concat([whole.subarray(0, end), Buffer.alloc(whole.length - end)]) : whole.subarray(0, end));
        const log = await place.open();
        try {
          expect((await stat(place.path)).size).toBe(row?.offset);
          expect(await verify(log)).toEqual({ intact: 2, written: 2, problem: undefined });
        } finally {
          await log.close();
        }
      }),
      { numRuns: 40 },
    );
    const log = await reopened(place);
    await log.append(receipt(2));
    expect(await readFile(place.path)).toEqual(whole);
  });

  test('after the loss of the database everything is taken over', async () => {
    const place = await filled(5);
    await place.database.run('DELETE FROM receipts');
    expect(await verify(await reopened(place))).toEqual({ intact: 5, written: 5, problem: undefined });
  });

  test('a tail that was removed is found, before and after the next receipt', async () => {
    const place = await filled(5);
    const row = await place.database.get<{ offset: number }>('SELECT offset FROM receipts WHERE seq = 4');
    await truncate(place.path, row?.offset ?? 0);
    const log = await reopened(place);
    expect(await verify(log)).toMatchObject({ intact: 3, written: 5, problem: { kind: 'truncated', seq: 4 } });
    await log.append(receipt(5));
    expect(await verify(log)).toMatchObject({ intact: 3, written: 6, problem: { kind: 'changed', seq: 4 } });
    const { receipts } = await log.list(0, 10);
    expect(receipts.map(({ seq, content }) => [seq, content !== undefined])).toEqual([[6, true], [5, false], [4, false], [3, true], [2, true], [1, true]]);
  });

  test('a file that was deleted is found, and a new one does not hide it', async () => {
    const place = await filled(2);
    await rm(place.path);
    const log = await reopened(place);
    expect(await verify(log)).toMatchObject({ intact: 0, written: 2, problem: { kind: 'truncated', seq: 1 } });
  });

  test('a byte that was changed while the daemon ran is found, and nothing of the file is touched by the next start', async () => {
    const place = await filled(4);
    const log = await place.open();
    const { offset = 0 } = (await place.database.get<{ offset: number }>('SELECT offset FROM receipts WHERE seq = 2')) ?? {};
    {
      await using file = await open(place.path, 'r+');
      await file.write(Buffer.from([0xff]), 0, 1, offset + 50);
    }
    expect(await verify(log)).toMatchObject({ intact: 1, written: 4, problem: { kind: 'changed', seq: 2, offset } });
    await log.close();
    const damaged = await readFile(place.path);
    expect(await verify(await reopened(place))).toMatchObject({ intact: 1, problem: { kind: 'changed', seq: 2 } });
    expect(await readFile(place.path)).toEqual(damaged);
  });

  test('what somebody has written behind the newest entry is found and stays', async () => {
    const place = await filled(2);
    await appendFile(place.path, Buffer.alloc(10_000, 7));
    const log = await reopened(place);
    expect(await verify(log)).toMatchObject({ intact: 2, written: 2, problem: { kind: 'added', seq: 3 } });
    expect((await stat(place.path)).size).toBeGreaterThan(10_000);
  });

  test('another file in its place is no log', async () => {
    const place = await filled(2);
    await writeFile(place.path, 'something else');
    expect(await verify(await reopened(place))).toMatchObject({ intact: 0, problem: { kind: 'header', seq: 1 } });
  });

  test('when the head cannot be stored the log is as before, and goes on', async () => {
    const place = await filled(2);
    const log = await reopened(place);
    await place.database.run('CREATE TRIGGER full BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, \'full\'); END');
    await expect(log.append(receipt(2))).rejects.toThrow('full');
    await place.database.run('DROP TRIGGER full');
    expect(await verify(log)).toEqual({ intact: 2, written: 2, problem: undefined });
    await log.append(receipt(2));
    expect(await verify(log)).toEqual({ intact: 3, written: 3, problem: undefined });
  });
});
