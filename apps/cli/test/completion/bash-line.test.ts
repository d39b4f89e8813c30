import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBashLine, quoteForBash } from '../../src/completion/bash-line.ts';

const breaks = ' \t\n"\'@><=;|&(:';

describe('the line of bash', () => {
  test.each([
    ['peerctl ', ['peerctl', ''], '', 0],
    ['peerctl connect bo', ['peerctl', 'connect', 'bo'], '', 0],
    [String.raw`peerctl connect dave\ g`, ['peerctl', 'connect', 'dave g'], '', 0],
    ['peerctl connect "dave g', ['peerctl', 'connect', 'dave g'], '"', 0],
    ["peerctl connect 'it", ['peerctl', 'connect', 'it'], "'", 0],
    ["peerctl connect ''", ['peerctl', 'connect', ''], '', 0],
    ['peerctl connect x:y', ['peerctl', 'connect', 'x:y'], '', 2],
    ['peerctl connect me@h', ['peerctl', 'connect', 'me@h'], '', 2],
    [String.raw`peerctl connect x\:y`, ['peerctl', 'connect', 'x:y'], '', 0],
    ['peerctl send a --conflict=re', ['peerctl', 'send', 'a', '--conflict=re'], '', 11],
    [String.raw`peerctl connect "a\"b\$c\d`, ['peerctl', 'connect', String.raw`a"b$c\d`], '"', 0],
  ] as const)('%s', (line, words, quote, kept) => expect(parseBashLine(line, breaks)).toEqual({ words, quote, kept }));

  test('what is quoted is read back, whatever it is', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => !/[\n\t\0]/.test(value));
    fc.assert(fc.property(text, fc.constantFrom('', '"', "'"), (value, quote) => {
      const line = `peerctl ${quote}${quoteForBash(value, quote)}${quote}`;
      expect(parseBashLine(line, '').words[1]).toBe(value);
    }));
  });

  test('and bash reads it so too', () => {
    const values = ['dave grohl', "o'neil", 'x:y', '$HOME', 'a;rm b', '`id`', 'été', '日本', '~root', '(x)', '*', 'a&b|c<d>e', '#x', '{a,b}', '[x]', 'back\\slash', '%1', '=x', '?'];
    const script = values.map((value) => `printf '%s\\0' ${quoteForBash(value, '')} "${quoteForBash(value, '"')}" '${quoteForBash(value, "'")}'`).join('\n');
    const read = execFileSync('bash', ['-c', script], { encoding: 'utf8', env: { LANG: 'C.UTF-8', HOME: '/nonexistent' } }).split('\0').slice(0, -1);
    expect(read).toEqual(values.flatMap((value) => [value, value, value]));
  });
});
