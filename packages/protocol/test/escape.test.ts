import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeBytes, escapeJson, escapeText } from '../src/index.ts';

describe('escapeText', () => {
  test.each([
    ['plain name.txt', 'plain name.txt'],
    ['Zoë 日本 🦊', 'Zoë 日本 🦊'],
    ['👨‍👩‍👧', '👨‍👩‍👧'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['\u009b31m', '\\u{9b}31m'],
    ['evil\u202egpj.exe', 'evil\\u{202e}gpj.exe'],
    ['zero\u200bwidth', 'zero\\u{200b}width'],
    ['join\u200der', 'join\\u{200d}er'],
    // Code points that are kept for later emoji are not shown, so nothing may be joined to them.
    ['\u{1fc68}\u200d\u{1f469}', '\\u{1fc68}\\u{200d}\u{1f469}'],
    ['back\\slash', 'back\\\\slash'],
    ['\ud800', '\\u{d800}'],
    // Of each class one that no other class has: format, line and paragraph separator, private use, unassigned.
    ['\ufff9\u2028\u2029\ue000\u0378', '\\u{fff9}\\u{2028}\\u{2029}\\u{e000}\\u{378}'],
    // Letters and marks that nobody sees.
    ['\u3164a\u115f\u034fb', '\\u{3164}a\\u{115f}\\u{34f}b'],
    // Selectors stay where they choose a form: an emoji, a keycap, a variant of a Han character.
    ['\u2764\ufe0f 1\ufe0f\u20e3 \u845b\u{e0100}', '\u2764\ufe0f 1\ufe0f\u20e3 \u845b\u{e0100}'],
    ['bob\ufe0f \u2764\ufe0f\ufe0f', 'bob\\u{fe0f} \u2764\ufe0f\\u{fe0f}'],
    // Right to left, combining marks, Hangul, Devanagari: text as any other.
    ['\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 e\u0301 \ud55c\uae00 \u0939\u093f\u0928\u094d\u0926\u0940', '\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 e\u0301 \ud55c\uae00 \u0939\u093f\u0928\u094d\u0926\u0940'],
  ])('%j', (text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });

  test('nothing that steers a terminal is left, whatever goes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = escapeText(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(shown.replaceAll('\u200d', '')).not.toMatch(/\p{Cf}/u);
      }),
    );
  });
});

test('escapeJson: the same value, and nothing that steers', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = escapeJson(JSON.stringify({ [text]: [text] }, null, 1));
      expect(JSON.parse(json)).toEqual({ [text]: [text] });
      expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});

describe('escapeBytes', () => {
  test('bytes that are not UTF-8 appear one by one', () => {
    expect(escapeBytes(Buffer.from([0x61, 0xff, 0x5c, 0x0a]))).toBe('a\\xff\\\\\\x0a');
    expect(escapeBytes(Buffer.from('né'))).toBe('né');
  });

  test('the result is printable and tells different bytes apart', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 20 }), (one, other) => {
        expect(escapeBytes(one)).not.toMatch(/[\p{Cc}]/u);
        if (Buffer.compare(one, other) !== 0) expect(escapeBytes(one)).not.toBe(escapeBytes(other));
      }),
    );
  });
});
