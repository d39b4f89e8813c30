import { type ManifestEntry, maxPathComponents } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EntryOrder, entryViolation, targetViolation } from '../src/path-policy.ts';
import { bytes } from './support/trees.ts';

const entry = (path: string[], rest: Partial<ManifestEntry> = {}): ManifestEntry => ({ path: path.map(bytes), type: 'file', size: 0, mode: 0o644, mtime: [0, 0], ...rest });
const directory = (...path: string[]): ManifestEntry => entry(path, { type: 'directory' });
const symlink = (path: string[], target: string): ManifestEntry => entry(path, { type: 'symlink', target: bytes(target) });

/** The violation of the first entry that is refused. */
const check = (...entries: ManifestEntry[]): string | undefined => {
  const order = new EntryOrder();
  return entries.map((each) => order.next(each)).find((violation) => violation !== undefined);
};

describe('one entry', () => {
  test.each([
    ['an empty component', entry(['']), 'empty'],
    ['a dot', entry(['.']), '`.` or `..`'],
    ['two dots', entry(['..']), '`.` or `..`'],
    ['a slash', entry(['a/b']), '`/`'],
    ['NUL', entry(['a\0']), 'NUL'],
    ['256 bytes', entry(['n'.repeat(256)]), '256 bytes'],
    ['no path', entry([]), 'empty path'],
    ['too many components', entry(Array.from({ length: maxPathComponents + 1 }, () => 'a')), 'components'],
    ['setuid', entry(['a'], { mode: 0o4755 }), '0777'],
    ['a size of 2^53', entry(['a'], { size: 2 ** 53 }), '2^53'],
    ['a negative size', entry(['a'], { size: -1 }), '2^53'],
    ['a directory with a size', entry(['a'], { type: 'directory', size: 1 }), 'with a size'],
    ['a symlink with a size', { ...symlink(['a'], 'b'), size: 1 }, 'with a size'],
    ['a file with a target', entry(['a'], { target: bytes('b') }), 'link target'],
    ['a directory with a target', entry(['a'], { type: 'directory', target: bytes('b') }), 'link target'],
    ['a symlink without a target', entry(['a'], { type: 'symlink' }), 'without a target'],
    ['an impossible nanosecond', entry(['a'], { mtime: [0, 1_000_000_000] }), 'time'],
  ])('refused: %s', (_, refused, why) => {
    expect(entryViolation(refused)).toContain(why);
  });

  test.each(['con', ' ', '-rf', '...', '..a', '\n', '\\', '\xff\xfe', 'n'.repeat(255), '*', '\u001b'])('legal: %j', (name) => {
    expect(entryViolation(entry([name]))).toBeUndefined();
  });
});

describe('targets of symbolic links', () => {
  test.each([
    [['link'], 'a'],
    [['link'], './a/b'],
    [['top', 'link'], 'a'],
    [['top', 'a', 'link'], '..'],
    [['top', 'a', 'link'], '../b//c/'],
    [['top', 'a', 'b', 'link'], '../.././x'],
    [['top', 'link'], '..a'],
  ])('legal: %j → %s', (path, target) => {
    expect(targetViolation(path.map(bytes), bytes(target))).toBeUndefined();
  });

  test.each([
    [['link'], '/etc/passwd'],
    [['link'], '..'],
    [['link'], 'a/../b'],
    [['link'], ''],
    [['link'], 'a\0b'],
    [['link'], 'x'.repeat(4_096)],
    [['top', 'link'], '../other'],
    [['top', 'link'], './../other'],
    [['top', 'a', 'link'], '../../other'],
    [['top', 'a', 'link'], 'b/../../../other'],
  ])('refused: %j → %s', (path, target) => {
    expect(targetViolation(path.map(bytes), bytes(target))).toBeDefined();
  });
});

describe('order', () => {
  test('depth first, siblings ascending by bytes', () => {
    expect(check(entry(['B']), directory('a'), directory('a', 'b'), entry(['a', 'b', 'c']), entry(['a', 'b!']), entry(['b']), entry(['\xff']))).toBeUndefined();
  });

  test.each([
    ['an exact duplicate', [entry(['a']), entry(['a'])], 'before'],
    ['a directory again after what is in it', [directory('a'), entry(['a', 'b']), directory('a')], 'before'],
    ['a file as a parent', [entry(['a']), entry(['a', 'b'])], 'no directory'],
    ['an entry below a symlink', [symlink(['a'], 'b'), entry(['a', 'c'])], 'no directory'],
    ['a missing parent', [entry(['a', 'b'])], 'missing'],
    ['a missing parent in between', [directory('a'), entry(['a', 'b', 'c'])], 'missing'],
    ['a missing parent beside another directory', [directory('a'), entry(['b', 'c'])], 'missing'],
    ['siblings out of order', [entry(['b']), entry(['a'])], 'out of order'],
    ['a directory taken up again', [directory('a'), directory('b'), entry(['a', 'c'])], 'out of order'],
    ['sizes above 2^53', [entry(['a'], { size: 2 ** 53 - 1 }), entry(['b'], { size: 1 })], '2^53'],
  ])('refused: %s', (_, entries, why) => {
    expect(check(...entries)).toContain(why);
  });
});

/** Components that are likely to meet, and to be wrong. */
const componentArbitrary = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c') },
  { weight: 1, arbitrary: fc.constantFrom('', '.', '..', 'a/b', '/', '\0', '../a', '\xff') },
);
const stepArbitrary = fc.oneof({ weight: 3, arbitrary: fc.constant('..') }, { weight: 5, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') }, { weight: 1, arbitrary: fc.constantFrom('', '.', '...') });
/** Directories for entries to be in. */
const somewhere = [['a'], ['a', 'a'], ['a', 'a', 'b'], ['b'], ['b', 'c']];
const pathArbitrary = fc.oneof(
  fc.array(componentArbitrary, { maxLength: 5 }),
  fc.tuple(fc.constantFrom([], ...somewhere), fc.constantFrom('c', 'd', 'e', 'f')).map(([above, name]) => [...above, name]),
);
const entryArbitrary: fc.Arbitrary<ManifestEntry> = fc
  .record({ path: pathArbitrary, type: fc.constantFrom('file', 'directory', 'directory', 'symlink', 'symlink'), target: fc.array(stepArbitrary, { minLength: 1, maxLength: 6 }) })
  .map(({ path, type, target }) => (type === 'symlink' ? symlink(path, target.join('/')) : entry(path, { type })));

/** Where a path leads when every link on its way is followed, as the kernel does; `undefined` when it leaves the root. */
const resolve = (links: ReadonlyMap<string, string>, path: readonly string[], budget = { left: 40 }): string[] | undefined => {
  let here: string[] = [];
  for (const step of path) {
    if (step === '' || step === '.') continue;
    if (step === '..') {
      if (here.length === 0) return undefined;
      here = here.slice(0, -1);
      continue;
    }
    const target = links.get([...here, step].join('/'));
    if (target === undefined) {
      here = [...here, step];
      continue;
    }
    budget.left -= 1;
    if (budget.left < 0) return here;
    if (target.startsWith('/')) return undefined;
    const followed = resolve(links, [...here, ...target.split('/')], budget);
    if (followed === undefined) return undefined;
    here = followed;
  }
  return here;
};

describe('whatever a peer sends', () => {
  const text = (component: Uint8Array): string => Buffer.from(component).toString('latin1');

  test('nothing that is accepted leads outside of the root, or a link out of its top-level directory', () => {
    let acceptedLinks = 0;
    fc.assert(
      fc.property(fc.array(entryArbitrary, { minLength: 5, maxLength: 25 }), fc.boolean(), (entries, sorted) => {
        const order = new EntryOrder();
        const candidates = sorted ? [...somewhere.map((path) => directory(...path)), ...entries].sort(comparePaths) : entries;
        const accepted = candidates.filter((each) => order.next(each) === undefined);
        const links = new Map(accepted.flatMap((each) => (each.target === undefined ? [] : [[each.path.map(text).join('/'), text(each.target)] as const])));
        const directories = new Set(accepted.flatMap((each) => (each.type === 'directory' ? [each.path.map(text).join('/')] : [])));
        for (const { path, type } of accepted) {
          const own = path.map(text);
          // It is made in real directories only, under exactly its own name.
          expect(resolve(new Map(), own)).toEqual(own);
          for (let depth = 1; depth < own.length; depth += 1) expect(directories).toContain(own.slice(0, depth).join('/'));
          if (type !== 'symlink') continue;
          acceptedLinks += 1;
          const end = resolve(links, own);
          expect(end).toBeDefined();
          if (own.length > 1) expect(end?.[0]).toBe(own[0]);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(acceptedLinks).toBeGreaterThan(100);
  });
});

const comparePaths = (a: ManifestEntry, b: ManifestEntry): number => {
  for (let index = 0; index < Math.min(a.path.length, b.path.length); index += 1) {
    const order = Buffer.compare(a.path[index] ?? Buffer.alloc(0), b.path[index] ?? Buffer.alloc(0));
    if (order !== 0) return order;
  }
  return a.path.length - b.path.length;
};
