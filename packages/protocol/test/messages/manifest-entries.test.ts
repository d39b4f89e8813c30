import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeManifestPage, encodeManifestPage, type ManifestEntry, manifestPageMaxEntries } from '../../src/index.ts';
import { decodeCanonical } from '../../src/messages/canonical-entries.ts';
import { decodeCbor, encodeCbor } from '../../src/messages/cbor.ts';
import { decodeInGeneral } from '../../src/messages/manifest-entries.ts';

const bytes = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map((value) => Buffer.from(value));
/** Around the places where the form of a number changes. */
const whole = (max: number): fc.Arbitrary<number> => fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(...[0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, max].filter((value) => value <= max)));
const entries: fc.Arbitrary<ManifestEntry[]> = fc.array(
  fc.record(
    {
      // Few different ones, so that neighbours have some in common.
      path: fc.array(fc.oneof(fc.constantFrom(Buffer.from('a'), Buffer.from('directory'), Buffer.alloc(23, 0x62), Buffer.alloc(24, 0x62)), bytes(300)), { minLength: 1, maxLength: 5 }),
      type: fc.constantFrom('file' as const, 'directory' as const, 'symlink' as const),
      size: whole(Number.MAX_SAFE_INTEGER),
      mode: whole(0o777),
      mtime: fc.tuple(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-1, -24, -25, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)), whole(999_999_999)),
      target: bytes(100),
    },
    { requiredKeys: ['path', 'type', 'size', 'mode', 'mtime'] },
  ),
  { minLength: 1, maxLength: 20 },
);

const outcome = (decode: () => unknown): unknown => {
  try {
    return decode();
  } catch (error) {
    return error;
  }
};
describe('manifest entries', () => {
  it('are written as CBOR in general writes them', () => {
    fc.assert(fc.property(entries, (list) => encodeManifestPage(list).equals(encodeCbor(list))), { numRuns: 300 });
  });

  it('are read as CBOR and schema in general read them, whatever byte is changed', () => {
    const change = fc.option(fc.record({ at: fc.nat(), to: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x18, 0x19, 0x1a, 0x1b, 0x20, 0x3b, 0x80, 0xa5, 0xa6)), cut: fc.boolean() }));
    fc.assert(
      fc.property(entries, change, (list, changed) => {
        let page = encodeManifestPage(list);
        if (changed) page[changed.at % page.length] = changed.to;
        if (changed?.cut) page = page.subarray(0, changed.at % page.length);
        expect(outcome(() => decodeManifestPage(page))).toEqual(outcome(() => decodeInGeneral(page)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of the quick form are read in the quick way', () => {
    fc.assert(
      fc.property(entries, (list) => {
        expect(decodeCanonical(encodeManifestPage(list))).toEqual(list);
      }),
      { numRuns: 300 },
    );
  });

  it('share the directories above them', () => {
    const entry = (...path: string[]): ManifestEntry => ({ path: path.map((part) => Buffer.from(part)), type: 'file', size: 1, mode: 0o644, mtime: [1, 2] });
    const [first, second] = decodeManifestPage(encodeManifestPage([entry('top', 'a'), entry('top', 'b')]));
    expect(second?.path[0]).toBe(first?.path[0]);
    expect(second?.path[1]).toEqual(Buffer.from('b'));
  });

  /** The last key and its value. */
  const timeBytes = 9;
  const entry = { mode: 0o644, path: [Buffer.from('a')], size: 1, type: 'file', mtime: [1, 2] as [number, number] };
  const link = { ...entry, type: 'symlink' } as const;
  it.each([
    ['another order of the keys', Buffer.from([0x81, 0xa5, ...encodeCbor(entry).subarray(-timeBytes), ...encodeCbor(entry).subarray(1, -timeBytes)])],
    ['a field of a later version', encodeCbor([{ ...entry, zone: 1 }])],
  ])('are read with %s', (_, page) => {
    expect(decodeCanonical(page)).toBeUndefined();
    expect(decodeManifestPage(page)).toEqual([entry]);
  });

  it.each([
    ['none', encodeCbor([])],
    ['one too many', encodeCbor(Array.from({ length: manifestPageMaxEntries + 1 }, () => entry))],
    ['a mode above 0777', encodeCbor([{ ...entry, mode: 0o1000 }])],
    ['no path', encodeCbor([{ ...entry, path: [] }])],
    ['too many nanoseconds', encodeCbor([{ ...entry, mtime: [1, 1_000_000_000] }])],
    ['a target that is too long', encodeCbor([{ ...entry, target: Buffer.alloc(4_096) }])],
    ['a component that is too long', encodeCbor([{ ...entry, path: [Buffer.alloc(4_097)] }])],
    ['bytes behind the last one', Buffer.concat([encodeCbor([entry]), Buffer.from([0])])],
    ['a number in a longer form than it needs', Buffer.from(encodeCbor([entry]).toString('hex').replace('6473697a6501', '6473697a651801'), 'hex')],
    ['a field fewer than it says', Buffer.from([0x81, 0xa7, ...encodeManifestPage([{ ...link, target: Buffer.from('b') }]).subarray(2)])],
    ['a field more than it says', Buffer.from([0x81, 0xa4, ...encodeManifestPage([{ ...link, target: Buffer.from('b') }]).subarray(2)])],
  ])('are refused: %s', (_, page) => {
    expect(() => decodeManifestPage(page)).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
  });

  it('in general are what CBOR has', () => {
    expect(decodeCbor(encodeManifestPage([{ ...entry, type: 'file', mtime: [1, 2] }]))).toEqual([{ ...entry, path: [Uint8Array.from([0x61])] }]);
  });
});
