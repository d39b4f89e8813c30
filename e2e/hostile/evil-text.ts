/** Text that would steer a terminal, hide, or look like other text; and how it is found again wherever it was written. */

/** Each within the 64 bytes of a name, and each with a word by which it is found: a sink that shows none was not tried. */
export const evilNames: readonly string[] = [
  // CSI, OSC 52 (clipboard), OSC 8 (link), bell
  'evil0\u001b[6;66H\u001b]52;c;aGk=\u0007\u001b]8;;http:x\u001b\\y',
  // C1 CSI, bidi, zero-width, soft hyphen, byte order mark
  'evil1\u009b31m\u202egpj\u2066\u2069\u200b\u200d\u200f\ufeff\u00ad\u061c\u{e0041}',
  // lines, and what only looks like nothing
  'evil2\r\n\t\b\u007f\u0085\u2028\u2029\u3164\u034f\u115f\u180e\ufff9',
];

/** As long as it may be. */
export const longEvil = (index: number, bytes: number): string => {
  const one = `${evilNames[index] ?? ''}\n`;
  return one.repeat(Math.floor(bytes / Buffer.byteLength(one)));
};

/** Names of real people and files, to be shown as they are. */
export const legalName = 'Zo\u00eb \u65e5\u672c \u05e9\u05dc\u05d5\u05dd e\u0301 \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u2764\ufe0f';

/** U+FFFD too: raw bytes that are no text. What stays is line feed, and the joiner within an emoji. */
const forbidden = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u{34f}\u{115f}\u{3164}\u{fffd}]/gu;
const emojiJoiner = /(?<=\p{Extended_Pictographic}\u{fe0f}?)\u200d(?=\p{Extended_Pictographic})/gu;

/** What of it may not be in text that was written, with some of its surroundings; empty: none. */
export const steering = (text: string): string[] => {
  const rest = text.replaceAll(emojiJoiner, '');
  return [...rest.matchAll(forbidden)].map(({ index }) => JSON.stringify(rest.slice(Math.max(0, index - 40), index + 20)));
};

/** Of a terminal: after what our own programs say to it, which are colours, drawing over a line at once, and the cursor. */
// eslint-disable-next-line no-control-regex -- that is what it is about
const ownSequences = /\u001b\[(?:[0-9]{0,2}(?:;[0-9]{1,2})?m|\?25[lh]|\?20(?:04|26)[lh]|[0-9]*[ABCDGJK])|\r|\^D\u0008\u0008/g;
export const steeringOnTerminal = (text: string): string[] => steering(text.replaceAll(ownSequences, ''));

/** Every string in a JSON document, names of fields too. */
export const stringsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...stringsIn(item)]);
};
