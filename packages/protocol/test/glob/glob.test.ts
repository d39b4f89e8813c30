import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Glob, globProblem } from '../../src/glob/glob.ts';

const dots = { dot: true };

describe('a glob and what fits', () => {
  test.each<[string, string[], string[]]>([
    ['*.txt', ['a.txt', '.txt', 'a.b.txt'], ['a.txt2', 'a/b.txt', 'txt', 'a.txt\n']],
    ['?', ['a', 'ä', '🎈', ' ', '\n'], ['', 'ab', '/']],
    ['a*b?', ['abc', 'axxbc', 'abbb'], ['ab', 'a/bc']],
    ['**', ['a', 'a/b/c'], []],
    ['**/x', ['x', 'a/x', 'a/b/x'], ['ax', 'a/bx', 'x/a']],
    ['a/**', ['a', 'a/b', 'a/b/c'], ['ab', 'b/a']],
    ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['az', 'a/bz', 'a/b/c']],
    ['a**z', ['az', 'abz'], ['a/z']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x', '/x']],
    ['[!a-c]', ['d', '!'], ['a', '/']],
    ['[^a]', ['b'], ['a']],
    ['[]a]', [']', 'a'], ['[', 'b']],
    ['[a-]', ['a', '-'], ['b']],
    ['[\\]]', [']'], ['\\']],
    ['[z-a]', [], ['a', 'z', 'm']],
    ['[à-ü]', ['é'], ['e']],
    ['{a,b}c', ['ac', 'bc'], ['c', 'abc', '{a,b}c']],
    ['x{,.bak}', ['x', 'x.bak'], ['x.', 'bak']],
    ['{a,b{c,d}e}', ['a', 'bce', 'bde'], ['be', 'bcde']],
    ['{a/b,c}/*', ['a/b/x', 'c/x'], ['a/x', 'c']],
    ['{a*,?b}', ['a', 'axx', 'xb'], ['b']],
    // What means nothing means itself.
    ['{a}', ['{a}'], ['a']],
    ['{a,b', ['{a,b'], ['a']],
    ['[a', ['[a'], ['a']],
    ['!(a)', ['!(a)'], ['b', 'a']],
    ['+(a|b)', ['+(a|b)'], ['ab']],
    ['!x', ['!x'], ['y']],
    ['a.c', ['a.c'], ['abc']],
    ['\\*\\a', ['*a'], ['xa', '\\*a']],
    ['a\\', ['a\\'], ['a']],
    ['a\\\\', ['a\\'], ['a\\\\']],
  ])('%s', (pattern, fitting, others) => {
    const glob = new Glob(pattern, dots);
    expect([...fitting, ...others].filter((text) => glob.matches(text))).toEqual(fitting);
  });

  test('a wildcard leaves a leading dot alone where it should', () => {
    const fitting = (pattern: string): string[] => ['.x', 'a.x', 'a/.x', '.a/x', 'a/x'].filter((text) => new Glob(pattern, { dot: false }).matches(text));
    expect(fitting('*')).toEqual(['a.x']);
    expect(fitting('?x')).toEqual([]);
    expect(fitting('*.x')).toEqual(['a.x']);
    expect(fitting('{,a}.x')).toEqual(['.x', 'a.x']);
    expect(fitting('a/*.x')).toEqual([]);
    expect(fitting('[.]x')).toEqual([]);
    expect(fitting('.*')).toEqual(['.x']);
    expect(fitting('{*,.x}')).toEqual(['.x', 'a.x']);
    expect(fitting('**/*')).toEqual(['a.x', 'a/x']);
    expect(fitting('**')).toEqual(['a.x', 'a/x']);
    expect(fitting('.a/**')).toEqual(['.a/x']);
  });
});

/** What the words say, tried one way after the other: right, and slow. */
const fits = (pattern: string, text: string): boolean => {
  if (pattern === '') return text === '';
  const [first, rest] = [pattern[0], pattern.slice(1)];
  if (first === '*') return fits(rest, text) || (text !== '' && text[0] !== '/' && fits(pattern, text.slice(1)));
  if (first === '{') {
    const close = pattern.indexOf('}');
    return pattern.slice(1, close).split(',').some((choice) => fits(choice + pattern.slice(close + 1), text));
  }
  return text !== '' && (first === '?' ? text[0] !== '/' : text[0] === first) && fits(rest, text.slice(1));
};

test('says the same as trying every way', () => {
  const piece = fc.oneof(fc.constantFrom('a', 'b', '.', '/', '?', '{a,b*}', '{,?}', '{a/,b,}'), fc.constant('*'));
  // Two stars side by side are something else.
  const patterns = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join('').replaceAll(/\*{2,}/g, '*'));
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 8 });
  fc.assert(fc.property(patterns, texts, (pattern, text) => new Glob(pattern, dots).matches(text) === fits(pattern, text)), { numRuns: 3_000 });
});

describe('what would never end for a program that tries every way', () => {
  const name = 'a'.repeat(255);
  test.each(['*a*a*a*a*a*a*a*a*b', '?*?*?*?*?*?*?*b', '{a,a*,*a}{a,a*,*a}{a,a*,*a}{a,a*,*a}*b', '**/*a*/**/*a*/**/b', '*[a]*[a]*[a]*[a]*[a]*b'])('%s', (pattern) => {
    expect(new Glob(pattern, dots).matches(name)).toBe(false);
    expect(new Glob(pattern, dots).matches(`${name}/`.repeat(16))).toBe(false);
  });

  test('many braces that are never closed', () => {
    expect(new Glob('{'.repeat(500), dots).matches('{'.repeat(500))).toBe(true);
    expect(new Glob('{a,'.repeat(300), dots).matches('{a,'.repeat(300))).toBe(true);
  });
});

describe('globProblem', () => {
  test.each(['*.txt', '.git/', '{a,b', '\\', '*\\\\\\\\'])('%s: none', (pattern) => expect(globProblem(pattern)).toBeUndefined());
  test.each(['', '/', '///'])('"%s" is empty', (pattern) => expect(globProblem(pattern)).toBe('it is empty'));
  test('a NUL is in no name', () => expect(globProblem('a\0b')).toBe('it has a NUL'));
});
