/**
 * Golden vectors of the log of receipts: docs/protocol/vectors/receipts.json has the records of one log (byte strings as
 * `{"$hex": "…"}`) and the entries they are encoded to. Run this file with Node to compute them again after a deliberate
 * change of the format. The keys are those of RFC 8032 §7.1, tests 1 and 2.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import {
  encodeReceiptBody, encodeReceiptEntry, firstReceiptLink, type PeerId, peerIdOfPublicKey, type ReceiptBody, type ReceiptLogRecord, type ReceiptRole,
} from '../../src/index.ts';
import { bytesFromHex } from '../messages/vectors.ts';

interface ReceiptVector {
  note: string;
  record: unknown;
  entry: string;
  hash: string;
}

const file = new URL('../../../../docs/protocol/vectors/receipts.json', import.meta.url);

export interface Signer {
  readonly id: PeerId;
  readonly spki: Buffer;
  readonly key: KeyObject;
}

const signerOf = (seed: string): Signer => {
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { id: peerIdOfPublicKey(spki), spki, key };
};

export const self: Signer = signerOf('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
export const other: Signer = signerOf('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');

export const recordOf = (seq: number, previous: Uint8Array, role: ReceiptRole, more: Partial<ReceiptBody> = {}): ReceiptLogRecord => {
  const [sender, receiver] = role === 'sent' ? [self, other] : [other, self];
  const body = encodeReceiptBody({
    transfer: '01jdaqv3z8k5c9x7w2m4n6p8r0', sender: sender.id, receiver: receiver.id, offerRoot: new Uint8Array(32).fill(0x33), contentRoot: new Uint8Array(32).fill(0x55),
    receivedAt: 1_795_338_000_000 + seq, durability: 'transfer', delivered: 3, failed: 0, ...more,
  });
  return { seq, previous, role, body, signature: sign(null, body, receiver.key), signer: receiver.spki };
};

export const readReceiptVectors = (): ReceiptVector[] => JSON.parse(readFileSync(file, 'utf8')) as ReceiptVector[];

export const vectorRecord = (vector: ReceiptVector): ReceiptLogRecord => bytesFromHex(vector.record) as ReceiptLogRecord;

const hexFromBytes = (record: ReceiptLogRecord): unknown =>
  Object.fromEntries(Object.entries(record).map(([key, value]: [string, unknown]) => [key, value instanceof Uint8Array ? { $hex: Buffer.from(value).toString('hex') } : value]));

const compute = (): ReceiptVector[] => {
  const first = recordOf(1, firstReceiptLink, 'sent');
  const one = encodeReceiptEntry(first);
  const second = recordOf(2, one.hash, 'received', { durability: 'none', delivered: 2, failed: 1 });
  const two = encodeReceiptEntry(second);
  return [
    { note: 'the first entry: sent, signed by the other side', record: hexFromBytes(first), entry: one.bytes.toString('hex'), hash: one.hash.toString('hex') },
    { note: 'the second one: received in part, signed here', record: hexFromBytes(second), entry: two.bytes.toString('hex'), hash: two.hash.toString('hex') },
  ];
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(file, `[\n${compute().map((vector) => `  ${JSON.stringify(vector)}`).join(',\n')}\n]\n`);
