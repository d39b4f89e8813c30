import assert from 'node:assert/strict';
import { escapeBytes, escapeText, utf8OrUndefined } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';

/** Whatever a terminal, a log or a page could take for more than a character. The joiner of emoji is the one exception. */
const dangerous = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;
const withoutJoiners = (text: string): string => text.replace(/(?<=[\p{Extended_Pictographic}\ufe0f\p{Emoji_Modifier}])\u200d(?=\p{Extended_Pictographic})/gu, '');

const check = (shown: string): void => assert(!dangerous.test(withoutJoiners(shown)), `shows ${JSON.stringify(shown)}`);

/** The same bytes as text in two encodings, and as a file name. */
export const escaping: FuzzTarget = {
  name: 'escaping',
  seeds: ['plain', 'a\\b\n\r\t\x1b[31m', '\u202eabc\u200b', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', 'é\u0301', '\ue000\u{e0001}'].map((text) => Buffer.from(text)),
  run: (input) => {
    const texts = [utf8OrUndefined(input) ?? '', input.toString('utf16le'), input.toString('latin1')];
    for (const text of texts) check(escapeText(text));
    check(escapeBytes(input));
    // Two names never look the same by their escapes: nothing that is typed is an escape.
    const text = texts[0] ?? '';
    if (/^[\x20-\x5b\x5d-\x7e]*$/.test(text)) assert.equal(escapeText(text), text);
    assert.equal(escapeText(`${text}\\`).endsWith('\\\\'), true);
  },
};
