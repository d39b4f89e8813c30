import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Circumstances, type Grant, judge, type Offered, patternProblem, type Policy, standing } from '../../src/contacts/grant.ts';

const unbounded: Grant = { into: undefined, maxBytes: undefined, match: undefined, until: undefined };
const auto = (grant: Partial<Grant> | undefined, more: Partial<Policy> = {}): Policy => ({
  kind: 'auto', grant: grant && { ...unbounded, ...grant }, used: 0, reserved: 0, since: 0, ...more,
});
const with_ = (own: Policy | undefined, more: Partial<Circumstances> = {}): Circumstances => ({ own, fallback: 'ask', trust: 'pinned', now: 1_000, ...more });
const offer = (names: readonly (string | Uint8Array)[], bytes = 10): Offered => ({ bytes, names: names.map((name) => Buffer.from(name)), cut: false });

describe('what a policy says', () => {
  test('without one of its own the default holds; its own wins', () => {
    expect(judge(with_(undefined), offer(['a']))).toEqual({ kind: 'ask', why: undefined });
    expect(judge(with_(undefined, { fallback: 'auto', trust: 'new' }), offer(['a']))).toEqual({ kind: 'auto', into: undefined });
    expect(judge(with_({ ...auto(undefined), kind: 'ask' }, { fallback: 'auto' }), offer(['a']))).toEqual({ kind: 'ask', why: undefined });
    expect(judge(with_({ ...auto(undefined), kind: 'block' }, { fallback: 'auto' }), offer(['a']))).toEqual({ kind: 'block' });
  });

  test('a peer that bears the name of a contact is never served by itself', () => {
    for (const own of [undefined, auto(undefined), auto({ maxBytes: 100 })])
      expect(judge(with_(own, { fallback: 'auto', trust: 'changed' }), offer(['a']))).toMatchObject({ kind: 'ask', why: expect.stringContaining('another key') });
  });

  test('expiry is exact, and tells when', () => {
    expect(judge(with_(auto({ until: 1_001 })), offer(['a']))).toMatchObject({ kind: 'auto' });
    expect(judge(with_(auto({ until: 1_000 })), offer(['a']))).toMatchObject({ kind: 'ask', why: expect.stringContaining('1970-01-01T00:00:01.000Z') });
    expect(standing(with_(auto({ until: 1_000 })))).toMatchObject({ kind: 'ask', why: expect.stringContaining('expired') });
  });

  test('what is used up is ask; what is only too large leaves the grant as it is', () => {
    const used = auto({ maxBytes: 100 }, { used: 100 });
    expect(standing(with_(used))).toMatchObject({ kind: 'ask', why: expect.stringContaining('used up') });
    const busy = auto({ maxBytes: 100 }, { used: 40, reserved: 55 });
    expect(standing(with_(busy))).toEqual({ kind: 'auto', why: undefined });
    expect(judge(with_(busy), offer(['a'], 5))).toMatchObject({ kind: 'auto' });
    expect(judge(with_(busy), offer(['a'], 6))).toMatchObject({ kind: 'ask', why: expect.stringContaining('5 of the 100') });
  });

  test.each([
    ['*.jpg', ['a.jpg', 'b.jpg'], true],
    ['*.jpg', ['a.jpg', 'b.png'], false],
    ['*.jpg', ['.jpg'], false],
    ['*', ['.bashrc'], false],
    ['.bash*', ['.bashrc'], true],
    ['*.jpg', ['a.jpg\n.sh'], false],
    ['*.jpg', [Buffer.from([0xff, 0x2e, 0x6a, 0x70, 0x67])], false],
    ['{photo,video}-*', ['photo-1', 'video-2'], true],
    ['{photo,video}-*', ['audio-1'], false],
    ['!(x)', ['y'], false],
    ['!x', ['y'], false],
    ['+(a|b)', ['ab'], false],
    ['[ab]?.txt', ['ax.txt'], true],
  ] as const)('%s and %j: %s', (match, names, fits) => {
    expect(judge(with_(auto({ match })), offer(names)).kind).toBe(fits ? 'auto' : 'ask');
  });

  test('more names than are known are not taken for matching', () => {
    expect(judge(with_(auto({ match: '*' })), { ...offer(['a']), cut: true })).toMatchObject({ kind: 'ask', why: expect.stringContaining('more than 1 ') });
  });

  test('never more than the grant, whatever comes in whichever order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(fc.record({ bytes: fc.nat(500), delivered: fc.double({ min: 0, max: 1, noNaN: true }), held: fc.boolean() })), (maxBytes, offers) => {
        let used = 0;
        let reserved = 0;
        for (const { bytes, delivered, held } of offers) {
          if (judge(with_(auto({ maxBytes }, { used, reserved })), offer(['a'], bytes)).kind !== 'auto') continue;
          if (held) reserved += bytes;
          else used += Math.floor(bytes * delivered);
          expect(used + reserved).toBeLessThanOrEqual(maxBytes);
        }
      }),
    );
  });
});

test('a pattern that can match no top-level name is refused', () => {
  expect(patternProblem('a/*')).toContain('slash');
  expect(patternProblem('a\0')).toContain('NUL');
  expect(patternProblem('*.{jpg,png}')).toBeUndefined();
});
