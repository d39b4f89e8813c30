import { verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeReceiptEntry, encodeReceiptEntry, firstReceiptLink, ReceiptChain, receiptEntryMaxBytes, type ReceiptHead, type ReceiptLogRecord, type ReceiptProblem,
} from '../../src/index.ts';
import { other, readReceiptVectors, recordOf, self, vectorRecord } from './vectors.ts';

const verifySignature = (publicKey: Buffer, bytes: Uint8Array, signature: Uint8Array): boolean => verify(null, bytes, { key: publicKey, format: 'der', type: 'spki' }, signature);

interface Log {
  readonly records: readonly ReceiptLogRecord[];
  readonly entries: readonly Buffer[];
  readonly head: ReceiptHead;
}

const build = (roles: readonly ('sent' | 'received')[]): Log => {
  const records: ReceiptLogRecord[] = [];
  const entries: Buffer[] = [];
  let head: ReceiptHead = { seq: 0, hash: firstReceiptLink };
  for (const role of roles) {
    const record = recordOf(head.seq + 1, head.hash, role);
    const { bytes, hash } = encodeReceiptEntry(record);
    records.push(record);
    entries.push(bytes);
    head = { seq: record.seq, hash };
  }
  return { records, entries, head };
};

/** Ten are enough to put a change anywhere; signing takes time. */
const log = build(['sent', 'received', 'sent', 'sent', 'received', 'received', 'sent', 'received', 'sent', 'received']);
const length = log.entries.length;

const check = (bytes: Buffer, head: ReceiptHead = log.head): { intact: number; problem: ReceiptProblem | undefined } => {
  const chain = new ReceiptChain({ self: self.id, head, verifySignature });
  let offset = 0;
  while (offset < bytes.length) {
    const entry = decodeReceiptEntry(bytes.subarray(offset));
    chain.take(entry, offset);
    if (entry.kind === 'incomplete' || entry.bytes === 0) break;
    offset += entry.bytes;
  }
  return { problem: chain.finish(bytes.length), intact: chain.intact };
};
const join = (entries: readonly Buffer[]): Buffer => Buffer.concat(entries);

describe('golden vectors', () => {
  test.each(readReceiptVectors())('$note', (vector) => {
    const { bytes, hash } = encodeReceiptEntry(vectorRecord(vector));
    expect(bytes.toString('hex')).toBe(vector.entry);
    expect(hash.toString('hex')).toBe(vector.hash);
    expect(decodeReceiptEntry(Buffer.from(vector.entry, 'hex'))).toMatchObject({ kind: 'entry', record: { seq: vectorRecord(vector).seq }, hash, bytes: bytes.length });
  });

  test('they are a valid log', () => {
    const vectors = readReceiptVectors();
    const last = vectors.at(-1);
    expect(check(join(vectors.map(({ entry }) => Buffer.from(entry, 'hex'))), { seq: vectors.length, hash: Buffer.from(last?.hash ?? '', 'hex') })).toEqual({ problem: undefined, intact: vectors.length });
  });
});

describe('a log of receipts', () => {
  test('as it was written', () => {
    expect(check(join(log.entries))).toEqual({ problem: undefined, intact: length });
    expect(check(Buffer.alloc(0), { seq: 0, hash: firstReceiptLink })).toEqual({ problem: undefined, intact: 0 });
  });

  test('entries are bounded', () => {
    for (const entry of log.entries) expect(entry.length).toBeLessThanOrEqual(receiptEntryMaxBytes);
    expect(decodeReceiptEntry(Buffer.from([0, 0, 8, 1]))).toMatchObject({ kind: 'damaged', bytes: 0 });
  });

  test('any entries that are removed: the first of them is named', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(length - 1), { minLength: 1, maxLength: length }), (removed) => {
        const { problem, intact } = check(join(log.entries.filter((_, index) => !removed.includes(index))));
        const first = Math.min(...removed);
        const isEnd = removed.length === length - first;
        expect(problem).toMatchObject({ kind: isEnd ? 'truncated' : 'removed', seq: first + 1 });
        expect(intact).toBe(first);
      }),
      { numRuns: 300 },
    );
  });

  test('any two entries that change places: the first of them is named', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(length - 1), { minLength: 2, maxLength: 2 }), ([one = 0, two = 0]) => {
        const entries = [...log.entries];
        [entries[one], entries[two]] = [entries[two] as Buffer, entries[one] as Buffer];
        expect(check(join(entries)).problem).toMatchObject({ kind: 'reordered', seq: Math.min(one, two) + 1 });
      }),
      { numRuns: 100 },
    );
  });

  test('any byte that is changed: its entry is named', () => {
    const bytes = join(log.entries);
    const seqAt = (position: number): number => {
      let end = 0;
      return log.entries.findIndex((entry) => (end += entry.length) > position) + 1;
    };
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const changed = Buffer.from(bytes);
        changed[position] = (changed[position] ?? 0) ^ flip;
        const { problem, intact } = check(changed);
        expect(problem?.seq).toBe(seqAt(position));
        expect(intact).toBe(seqAt(position) - 1);
        expect(['changed', 'torn']).toContain(problem?.kind);
      }),
      { numRuns: 500 },
    );
  });

  test('a log that is cut anywhere: the first missing entry is named', () => {
    const bytes = join(log.entries);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (end) => {
        let whole = 0;
        let used = 0;
        for (const entry of log.entries) {
          if (used + entry.length > end) break;
          used += entry.length;
          whole += 1;
        }
        expect(check(bytes.subarray(0, end)).problem).toMatchObject({ kind: used === end ? 'truncated' : 'torn', seq: whole + 1 });
      }),
      { numRuns: 300 },
    );
  });

  /** By somebody who computes the hashes anew. */
  const change = (index: number, with_: Partial<ReceiptLogRecord>, chained = false): ReturnType<typeof check> => {
    const entries = [...log.entries];
    let previous: Uint8Array | undefined;
    for (let at = index; at < (chained ? length : index + 1); at += 1) {
      const record = { ...(log.records[at] as ReceiptLogRecord), ...(at === index ? with_ : {}), ...(previous ? { previous } : {}) };
      const { bytes, hash } = encodeReceiptEntry(record);
      entries[at] = bytes;
      previous = hash;
    }
    return check(join(entries));
  };

  test.each([
    ['the body', { body: recordOf(3, firstReceiptLink, 'sent', { delivered: 4 }).body }, 'signature'],
    ['the signature', { signature: Buffer.alloc(64, 1) }, 'signature'],
    ['the signer', { signer: self.spki }, 'signature'],
    ['a signer that is no key', { signer: Buffer.alloc(44) }, 'signature'],
    ['the role', { role: 'received' as const }, 'signature'],
    ['the link', { previous: Buffer.alloc(32, 1) }, 'changed'],
    ['the number', { seq: 30 }, 'removed'],
  ])('%s is changed and the hashes are made anew: it is found all the same', (_what, with_, kind) => {
    expect(change(2, with_).problem).toMatchObject({ kind, seq: 3 });
    expect(change(2, with_, true).problem).toMatchObject({ kind, seq: 3 });
  });

  test('another genuine receipt in the place of one is found by the link of the next, or by the head', () => {
    const { body, signature, signer } = recordOf(3, firstReceiptLink, 'sent', { delivered: 9 });
    expect(change(2, { body, signature, signer }).problem).toMatchObject({ kind: 'changed', seq: 4 });
    expect(change(2, { body, signature, signer }, true).problem).toMatchObject({ kind: 'changed', seq: length });
  });

  test('what stands behind the last entry is found', () => {
    const more = encodeReceiptEntry(recordOf(length + 1, log.head.hash, 'sent')).bytes;
    expect(check(join([...log.entries, more])).problem).toMatchObject({ kind: 'added', seq: length + 1 });
    expect(check(join([...log.entries, Buffer.from([1])])).problem).toMatchObject({ kind: 'added', seq: length + 1 });
  });

  test('a receipt between others is not ours', () => {
    const chain = new ReceiptChain({ self: other.id, head: log.head, verifySignature });
    chain.take(decodeReceiptEntry(log.entries[0] as Buffer), 0);
    expect(chain.finish(0)).toMatchObject({ kind: 'signature', seq: 1 });
  });
});
