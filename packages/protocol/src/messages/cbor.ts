/** CBOR (RFC 8949) as this protocol uses it: less than a general reader takes, so that each value has one encoding. */
import { decode, type DecodeOptions, encode, type Token, Tokenizer, Type } from 'cborg';
import { PeerdError } from '../errors.ts';

const strict: DecodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const notAscii = /[^\0-\x7f]/;

/** What the library lets pass: floating-point numbers, and text that is not UTF-8, of which it makes other text. */
class StrictTokenizer extends Tokenizer {
  override next(): Token {
    const start = this.pos();
    const token = super.next();
    if (token.type === Type.float) throw new Error('floating-point numbers are not allowed');
    if (token.type === Type.string) {
      const minor = (this.data[start] ?? 0) & 0x1f;
      // From 24 on, 1, 2, 4 or 8 bytes of length come first.
      const text = start + 1 + (minor < 24 ? 0 : 1 << (minor - 24));
      const decoded = token.value as string;
      if (decoded.length !== this.pos() - text || notAscii.test(decoded)) token.value = utf8.decode(this.data.subarray(text, this.pos()));
    }
    return token;
  }
}

/** Strict CBOR to plain values. @throws PeerdError `malformed_frame` */
export const decodeCbor = (bytes: Uint8Array): unknown => {
  try {
    // No Buffer: what its `slice` gives is a view, and byte strings must outlive the frame that they came in.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return decode(plain, { ...strict, tokenizer: new StrictTokenizer(plain, strict) });
  } catch (cause) {
    throw new PeerdError('malformed_frame', `not valid CBOR: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
};

/** Plain values to CBOR in deterministic form: shortest integers, map keys sorted by length, then bytewise. */
export const encodeCbor = (value: unknown): Buffer => {
  const bytes = encode(value, { ignoreUndefinedProperties: true });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};

/** What `encodeCbor` makes of an array, in pieces. @param items encoded already */
export const encodedArray = (items: readonly Uint8Array[]): Uint8Array[] => [headOf(0x80, items.length), ...items];

/** What `encodeCbor` makes of a map, in pieces. @param fields values that are encoded already, in deterministic order: shorter keys first, then bytewise */
export const encodedMap = (fields: Readonly<Record<string, readonly Uint8Array[]>>): Uint8Array[] => {
  const entries = Object.entries(fields);
  return [headOf(0xa0, entries.length), ...entries.flatMap(([key, pieces]) => [encodeCbor(key), ...pieces])];
};

/** A count has the head of an integer, with another major type (RFC 8949 §3). */
const headOf = (major: number, count: number): Buffer => {
  const head = Buffer.from(encodeCbor(count));
  head.writeUInt8(head.readUInt8(0) | major, 0);
  return head;
};
