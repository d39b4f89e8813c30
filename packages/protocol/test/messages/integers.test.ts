import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allMessages, decodeCbor, decodeManifestPage, decodeMessage, decodeReceiptBody, encodeCbor, encodeManifestPage, encodeReceiptBody, type ManifestEntry, type ReceiptBody } from '../../src/index.ts';
import { manifestPageSchema } from '../../src/messages/manifest-entries.ts';
import { receiptBodySchema } from '../../src/messages/receipt.ts';
import { type IntegerField, integerFields, valueAt, withValueAt } from './integers.ts';
import { bytesFromHex, readVectors } from './vectors.ts';

interface Decoder {
  readonly name: string;
  readonly fields: readonly IntegerField[];
  readonly samples: readonly unknown[];
  readonly decode: (payload: Buffer) => unknown;
}

const entry: ManifestEntry = { path: [Buffer.from('a')], type: 'file', size: 1, mode: 0o644, mtime: [1, 2] };
const receipt: ReceiptBody = {
  transfer: '01jd0000000000000000000000', sender: 'a'.repeat(52), receiver: 'b'.repeat(52), offerRoot: Buffer.alloc(32), contentRoot: Buffer.alloc(32), receivedAt: 1, durability: 'none', delivered: 1, failed: 0, skipped: 0,
};

const decoders: readonly Decoder[] = [
  ...allMessages.map((definition) => ({
    name: definition.kind,
    fields: integerFields(definition.schema),
    samples: readVectors().filter(({ kind }) => kind === definition.kind).map(({ body }) => bytesFromHex(body)),
    decode: (payload: Buffer) => decodeMessage(definition, payload),
  })),
  { name: 'manifest page', fields: integerFields(manifestPageSchema), samples: [decodeCbor(encodeManifestPage([entry]))], decode: decodeManifestPage },
  { name: 'receipt body', fields: integerFields(receiptBodySchema), samples: [decodeCbor(encodeReceiptBody(receipt))], decode: decodeReceiptBody },
];

/** A message may refuse a value for the sake of another field too (`refine`); none of the present ones does. */
const isAllowed = ({ min, max }: IntegerField, value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;

const refusal = (decode: () => unknown): unknown => {
  try {
    decode();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe.each(decoders.filter(({ fields }) => fields.length > 0))('$name', ({ fields, samples, decode }) => {
  test.each(fields.map((field) => ({ field, name: field.path.join('.') })))('$name: its bounds, and nothing beyond them', ({ field }) => {
    const sample = samples.find((candidate) => valueAt(candidate, field.path) !== undefined);
    expect(sample, 'a golden vector must show the field').toBeDefined();
    const at = (value: unknown): Buffer => encodeCbor(withValueAt(sample, field.path, value));
    const check = (value: unknown): void => expect([value, refusal(() => decode(at(value)))]).toEqual([value, isAllowed(field, value) ? undefined : 'malformed_frame']);

    for (const value of [0, -1, field.min - 1, field.min, field.max, field.max + 1, 2 ** 53, -(2 ** 53), 2 ** 63, 2 ** 64, 0.5, field.max - 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) check(value);
    for (const value of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 53n), -(2n ** 64n), null, true, '1', [1], Buffer.of(1)]) check(value);
    fc.assert(fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: field.min, max: field.max }), fc.double(), fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n })), (value) => {
      // What is a whole number is encoded as one, whatever made it.
      check(typeof value === 'bigint' && BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value);
    }), { numRuns: 30 });
  });
});

test('the walk finds the fields, those of lists and tuples too', () => {
  const named = (name: string): string[] => decoders.find((decoder) => decoder.name === name)?.fields.map(({ path }) => path.join('.')) ?? [];
  expect(named('select')).toEqual(['order']);
  expect(named('hello')).toEqual(['versions.0']);
  expect(named('manifest page')).toEqual(['0.size', '0.mode', '0.mtime.0', '0.mtime.1']);
  expect(named('roster-snapshot')).toContain('peers.0.addresses.0.port');
});

test('one number has one encoding: no floating point, not even of a whole number', () => {
  for (const hex of ['f93c00', 'f98000', 'fa3f800000', 'fb3ff0000000000000']) expect(() => decodeCbor(Buffer.from(hex, 'hex'))).toThrow(/floating-point/);
});

test('text is UTF-8 and arrives as it is', () => {
  expect(decodeCbor(Buffer.from('63efbbbf', 'hex'))).toBe('\ufeff');
  for (const length of [11, 12, 127, 128, 32_768, 65_536]) expect(decodeCbor(encodeCbor('é'.repeat(length)))).toBe('é'.repeat(length));
  for (const hex of ['61ff', '62c328', '63eda080', `7820${'ff'.repeat(32)}`]) expect(() => decodeCbor(Buffer.from(hex, 'hex'))).toThrow(/not valid CBOR/);
});
