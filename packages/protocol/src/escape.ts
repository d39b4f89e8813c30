/**
 * Text that a peer chose, made safe for a terminal, a log, a metric label or a page: control, format (bidi), ANSI and
 * invisible characters become visible escapes. Everything else stays as it is.
 */

// Cc control, Cf format, Zl/Zp separators, Cs lone surrogates, Co private use, Cn unassigned, and what is never seen though
// it counts as a letter or a mark. A selector stays where it chooses the form of the character before it.
const unsafe = /(?:[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\\]|[\p{Default_Ignorable_Code_Point}--\p{Variation_Selector}]|(?<![\p{Emoji}\p{Script=Han}\p{Script=Mongolian}])\p{Variation_Selector})/gv;

/** Zero-width joiner between pictographs (family emoji) is legal text and keeps its meaning. Code points that Unicode keeps for later ones (Cn) are shown as escapes, so nothing is joined to them. */
const joinsEmoji = (text: string, offset: number): boolean =>
  /(?!\p{Cn})\p{Extended_Pictographic}[\u{fe0f}\p{Emoji_Modifier}]?$/u.test(text.slice(0, offset)) && /^(?!\p{Cn})\p{Extended_Pictographic}/u.test(text.slice(offset + 1));

/** `\n` → `\\n`, `U+202E` → `\\u{202e}`, backslash → `\\\\`. The result is one line. */
export const escapeText = (text: string): string =>
  text.replace(unsafe, (character: string, offset: number) => {
    switch (character) {
      case '\\':
        return '\\\\';
      case '\n':
        return '\\n';
      case '\r':
        return '\\r';
      case '\t':
        return '\\t';
      case '\u200d':
        if (joinsEmoji(text, offset)) return character;
    }
    const code = character.codePointAt(0) ?? 0;
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });

/**
 * The same JSON, of the same meaning, in characters that steer nothing: what is unsafe in a string is written as `\\uXXXX`.
 * For values that a program has to get as they are, where a person may look on.
 */
export const escapeJson = (json: string): string =>
  json.replace(unsafe, (character) => {
    // Outside of strings there is only white space of these; in strings JSON has escaped them itself.
    if (character === '\\' || character < ' ') return character;
    return Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join('');
  });

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text, or `undefined` if the bytes are not valid UTF-8. */
export const utf8OrUndefined = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
};

/** A file name or path for people: escaped; bytes that are not valid UTF-8 appear as `\xNN`. */
export const escapeBytes = (bytes: Uint8Array): string => {
  const text = utf8OrUndefined(bytes);
  if (text !== undefined) return escapeText(text);
  // latin1 keeps every byte; the ones above 0x7f are escaped one by one.
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[^\x20-\x7e]|\\/g, (character) => (character === '\\' ? '\\\\' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`));
};
