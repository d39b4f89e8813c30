import { utf8OrUndefined } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidateNames } from '../../src/store/candidate-names.ts';

const second = (name: string, isDirectory = false): string => [...candidateNames(Buffer.from(name), isDirectory).take(2)][1]?.toString() ?? '';

describe('candidateNames', () => {
  test.each([
    ['a.txt', 'a (1).txt'],
    ['a', 'a (1)'],
    ['.bashrc', '.bashrc (1)'],
    ['.config.toml', '.config (1).toml'],
    ['a.tar.gz', 'a (1).tar.gz'],
    ['a.b.c', 'a.b (1).c'],
    ['a.', 'a. (1)'],
    ['Mr. Smith', 'Mr. Smith (1)'],
    [`v.${'x'.repeat(40)}`, `v.${'x'.repeat(40)} (1)`],
  ])('file %s → %s', (name, expected) => {
    expect(second(name)).toBe(expected);
  });

  test('a directory has no extension', () => {
    expect(second('photos.2024', true)).toBe('photos.2024 (1)');
  });

  test('a long name is cut within its stem, and not within a character', () => {
    expect(second(`${'n'.repeat(251)}.txt`)).toBe(`${'n'.repeat(247)} (1).txt`);
    expect(second('é'.repeat(127))).toBe(`${'é'.repeat(125)} (1)`);
  });

  test('candidates are new, legal names, as valid in UTF-8 as the original', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 255 }), fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).map((text) => new TextEncoder().encode(text))), fc.boolean(), (raw, isDirectory) => {
        const name = Buffer.from(raw.filter((byte) => byte !== 0x2f && byte !== 0));
        fc.pre(name.length > 0 && name.length <= 255);
        const names = [...candidateNames(name, isDirectory).take(30)];
        expect(names[0]).toEqual(name);
        expect(new Set(names.map((each) => each.toString('latin1'))).size).toBe(30);
        for (const each of names) {
          expect(each.length).toBeLessThanOrEqual(255);
          expect(each.includes(0x2f) || each.includes(0)).toBe(false);
          if (utf8OrUndefined(name) !== undefined) expect(utf8OrUndefined(each)).toBeDefined();
        }
      }),
    );
  });
});
