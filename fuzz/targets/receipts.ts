import assert from 'node:assert/strict';
import { decodeReceiptBody, decodeReceiptEntry, encodeReceiptBody, encodeReceiptEntry, firstReceiptLink, peerIdOfPublicKey, ReceiptChain, receiptEntryMaxBytes, type ReceiptLogRecord } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { cborMutator } from './mutate-cbor.ts';
import { unlessRefused } from './support.ts';

const signer = Buffer.alloc(44, 1);
const self = peerIdOfPublicKey(signer);
const body = encodeReceiptBody({
  transfer: '01jd0000000000000000000000', sender: 'b'.repeat(52), receiver: self, offerRoot: Buffer.alloc(32, 1), contentRoot: Buffer.alloc(32, 2), receivedAt: 1, durability: 'none', delivered: 1, failed: 0, skipped: 2,
});
const record = (seq: number, previous: Uint8Array): ReceiptLogRecord => ({ seq, previous, role: 'received', body, signature: Buffer.alloc(64), signer });
const first = encodeReceiptEntry(record(1, firstReceiptLink));
const second = encodeReceiptEntry(record(2, first.hash));

export const receiptBody: FuzzTarget = {
  name: 'receipt-body',
  seeds: [body],
  mutate: cborMutator(0),
  run: (input) => {
    const decoded = unlessRefused(() => decodeReceiptBody(input), 'malformed_frame');
    if (decoded !== undefined) assert.deepEqual(decodeReceiptBody(encodeReceiptBody(decoded)), decoded);
  },
};

/** The file behind its header. */
export const receiptLog: FuzzTarget = {
  name: 'receipt-log',
  seeds: [Buffer.concat([first.bytes, second.bytes])],
  run: (input) => {
    const chain = new ReceiptChain({ self, head: { seq: 2, hash: second.hash }, verifySignature: (_key, _bytes, signature) => signature[0] === 0 });
    let at = 0;
    for (let steps = 0; at < input.length; steps += 1) {
      assert(steps <= input.length, 'the log is read in circles');
      const decoded = decodeReceiptEntry(input.subarray(at));
      chain.take(decoded, at);
      if (decoded.kind === 'incomplete' || decoded.bytes === 0) break;
      assert(decoded.bytes <= receiptEntryMaxBytes, 'an entry that is too large');
      at += decoded.bytes;
    }
    const problem = chain.finish(at);
    const written = Buffer.concat([first.bytes, second.bytes]);
    // The two entries as they were written are the one log without a problem: nobody can make their hashes fit others.
    assert.equal(problem === undefined, input.equals(written), 'a changed log was taken, or the right one was not');
    if (problem !== undefined) assert(problem.seq >= 1 && problem.offset <= input.length);
  },
};
