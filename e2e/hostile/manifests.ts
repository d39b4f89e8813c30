/** Manifests of the path corpus: what has to be refused, and what looks odd and has to arrive as it is. */
import { randomBytes } from 'node:crypto';
import { encodeCbor, encodeManifestPage, maxEntries, maxPathComponents, type Offer } from '@peerd/protocol';
import { directory, file, makeOffer, type OfferOptions, type ScriptedEntry, type ScriptedOffer, symlinkTo } from '../harness/scripted-offer.ts';

interface Refused {
  readonly what: string;
  readonly code: 'manifest_invalid' | 'malformed_frame' | 'manifest_too_large';
  readonly make: (options: OfferOptions) => ScriptedOffer;
}

const refused = (what: string, ...entries: ScriptedEntry[]): Refused => ({ what, code: 'manifest_invalid', make: (options) => makeOffer(entries, options) });
/** A shape that no manifest may have, in an offer that looks well. */
const misshaped = (what: string, ...entries: ScriptedEntry[]): Refused => ({ what, code: 'malformed_frame', make: (options) => makeOffer(entries, { ...options, announced: { bytes: 0 } }) });
const page = (what: string, bytes: Uint8Array): Refused => ({ what, code: 'malformed_frame', make: (options) => makeOffer([file(['x'])], { ...options, pages: [bytes] }) });
/** The offer says something else than its manifest. */
const lying = (what: string, change: (offer: Offer) => Partial<Offer>, ...entries: ScriptedEntry[]): Refused => ({
  what, code: 'manifest_invalid',
  make: (options) => {
    const listed = entries.length > 0 ? entries : [file(['x'])];
    return makeOffer(listed, { ...options, announced: change(makeOffer(listed, options).body) });
  },
});

const deep = (depth: number): ScriptedEntry[] => Array.from({ length: depth }, (_, level) => directory(...Array.from({ length: level + 1 }, () => 'd')));

export const refusedManifests: readonly Refused[] = [
  refused('an empty component', file([''])),
  refused('`.`', file(['.'])),
  refused('`..`', file(['..'])),
  refused('`..` below a directory', directory('a'), file(['a', '..'])),
  refused('`..` as a directory', directory('..'), file(['..', 'evil'])),
  refused('`.` as a directory', directory('.'), file(['.', 'evil'])),
  refused('a slash in a component', file(['../evil'])),
  refused('only a slash', file(['/'])),
  refused('an absolute path', file(['/tmp/evil'])),
  refused('an absolute path by an empty component', directory(''), file(['', 'tmp'])),
  refused('a slash at the end', file(['evil/'])),
  refused('NUL', file(['evil\0.txt'])),
  refused('NUL below a directory', directory('a'), file(['a', 'b\0'])),
  refused('256 bytes', file(['x'.repeat(256)])),
  refused('an exact duplicate', file(['a']), file(['a'], 'other')),
  refused('a directory twice', directory('a'), directory('a')),
  refused('a file and a link of one name', file(['a']), symlinkTo('b', 'a')),
  refused('a file as parent', file(['a']), file(['a', 'b'])),
  refused('a link as parent', symlinkTo('.', 'a'), file(['a', 'b'])),
  refused('a link to the outside as parent', directory('d'), symlinkTo('..', 'd', 'l'), file(['d', 'l', 'evil'])),
  refused('a missing parent', file(['a', 'b'])),
  refused('a parent that comes later', file(['a', 'b']), directory('a')),
  refused('entries out of order', file(['b']), file(['a'])),
  refused('a sibling before its directory', directory('a'), file(['b']), file(['a', 'c'])),
  refused('a link with an empty target', symlinkTo('', 'l')),
  refused('a link to an absolute path', symlinkTo('/etc/passwd', 'l')),
  refused('a link to the root', symlinkTo('/', 'l')),
  refused('a link to two slashes', symlinkTo('//etc', 'l')),
  refused('a link to `..`', symlinkTo('..', 'l')),
  refused('a link to `../`', symlinkTo('../', 'l')),
  refused('a link to `./..`', symlinkTo('./..', 'l')),
  refused('a link to `.//../x`', symlinkTo('.//../x', 'l')),
  refused('a link to `a/../..`', symlinkTo('a/../..', 'l')),
  refused('a link to `a/..`', symlinkTo('a/..', 'l')),
  refused('a link one too far up', directory('d'), symlinkTo('../..', 'd', 'l')),
  refused('a link out of its top-level directory', directory('d'), symlinkTo('../other', 'd', 'l')),
  refused('a link through another', directory('d'), symlinkTo('.', 'd', 'a'), symlinkTo('a/../../x', 'd', 'b')),
  refused('a link with NUL', symlinkTo('a\0b', 'l')),
  refused('a file with a target', { ...file(['a']), type: 'file', target: 'b' }),
  refused('a directory with a size', { path: ['a'], type: 'directory', size: 1 }),
  refused('a link with a size', { ...symlinkTo('b', 'a'), size: 1 }),
  { ...misshaped('sizes that add up to too much', { path: ['a'], size: Number.MAX_SAFE_INTEGER - 1 }, { path: ['b'], size: 2 }), code: 'manifest_invalid' },
  misshaped('a link without a target whose type is not known', { path: ['a'], type: 'device' as 'file' }),
  misshaped('a negative size', { path: ['a'], size: -1 }),
  misshaped('a size of 2^53', { path: ['a'], size: 2 ** 53 }),
  misshaped('a broken size', { path: ['a'], size: 0.5 }),
  misshaped('a mode with setuid', { ...file(['a']), mode: 0o4755 }),
  misshaped('a negative mode', { ...file(['a']), mode: -1 }),
  misshaped('a billion nanoseconds', { ...file(['a']), mtime: [0, 1_000_000_000] }),
  misshaped('a path without components', file([])),
  misshaped('more components than are allowed', ...deep(maxPathComponents), file(Array.from({ length: maxPathComponents + 1 }, () => 'd'))),
  misshaped('a target that is too long', symlinkTo('x'.repeat(4_096), 'l')),
  page('no CBOR', randomBytes(100)),
  page('an empty page', encodeCbor([])),
  page('text for a component', encodeCbor([{ path: ['x'], type: 'file', size: 0, mode: 0o644, mtime: [0, 0] }])),
  page('more entries than a page has', encodeManifestPage(Array.from({ length: 1_001 }, (_, index) => ({ path: [Buffer.from(String(index).padStart(4, '0'))], type: 'file', size: 0, mode: 0o644, mtime: [0, 0] })))),
  lying('fewer entries than there are', ({ entries }) => ({ entries: entries - 1 }), file(['a']), file(['b'])),
  lying('more entries than there are', () => ({ entries: maxEntries })),
  lying('fewer bytes than there are', ({ bytes }) => ({ bytes: bytes - 1 })),
  lying('more bytes than there are', () => ({ bytes: Number.MAX_SAFE_INTEGER })),
  lying('fewer bytes of manifest than there are', ({ manifestBytes }) => ({ manifestBytes: manifestBytes - 1 })),
  lying('another hash', () => ({ offerRoot: randomBytes(32) })),
];

const oddNames: readonly (string | Uint8Array)[] = [
  ' leading', 'trailing ', 'back\\slash', '..\\..\\evil', 'C:\\evil', 'con', 'con.txt', 'nul', 'aux', 'trailing.', '.bashrc', '.ssh', '...', '....', '-rf', '--help', '~', '~root', '*', '?', '$(id)', '`id`', ';id', '|id',
  'new\nline', 'tab\there', 'return\rhere', '\u001b[31mred', '\u001b]8;;evil\u0007', 'caf\u00e9', 'cafe\u0301', 'evil\u202egpj.exe', 'zero\u200bwidth', '\u2024\u2024', '\uff0fslash', 'Case', 'case', 'CASE', 'x'.repeat(255),
  Buffer.from([0x80]), Buffer.from([0xc0, 0xae, 0xc0, 0xae]), Buffer.from([0x66, 0xff, 0xfe]), Buffer.concat([Buffer.alloc(254, 0x61), Buffer.from([0xc3])]), 'a (1)', '%2e%2e', '\u007f',
];
const longDeep = (depth: number): ScriptedEntry[] => Array.from({ length: depth }, (_, level) => directory('odd', ...Array.from({ length: level + 1 }, () => 'long'.repeat(63))));

const depthFirst = (a: ScriptedEntry, b: ScriptedEntry): number => {
  for (let level = 0; level < Math.min(a.path.length, b.path.length); level += 1) {
    const order = Buffer.compare(Buffer.from(a.path[level] ?? ''), Buffer.from(b.path[level] ?? ''));
    if (order !== 0) return order;
  }
  return a.path.length - b.path.length;
};

const odd: ScriptedEntry[] = [
  directory('odd'),
  ...oddNames.flatMap((name): ScriptedEntry[] => [file(['odd', name], `content of ${Buffer.from(name).toString('hex')}`), directory('odd', 'dirs', name), file(['odd', 'dirs', name, name], 'below'), symlinkTo(name, 'odd', 'links', name)]),
  directory('odd', 'dirs'), directory('odd', 'links'), symlinkTo('../dirs/./', 'odd', 'links', 'zz up'), symlinkTo('nowhere', 'odd', 'links', 'zz dangling'), symlinkTo('../../odd', 'odd', 'dirs', 'con', 'zz loop'),
  ...longDeep(20), file(['odd', ...Array.from({ length: 20 }, () => 'long'.repeat(63)), 'bottom'], 'deeper than PATH_MAX'),
  ...deep(maxPathComponents - 2).map((entry): ScriptedEntry => ({ ...entry, path: ['odd', ...entry.path] })),
  { ...file(['odd', 'no permissions'], 'x'), mode: 0 }, { ...directory('odd', 'locked'), mode: 0o500 }, file(['odd', 'locked', 'inside'], 'x'), file(['odd', 'empty'], ''),
  { ...file(['odd', 'before 1970'], 'x'), mtime: [-1_000, 5] }, { ...file(['odd', 'in 1970'], 'x'), mtime: [0, 0] },
  file(['zz large'], randomBytes(40 * 65_536 + 17)),
];
/** Legal on Linux, so all of it arrives. A large file is last, so that a transfer can be interrupted. */
export const oddEntries: readonly ScriptedEntry[] = odd.sort(depthFirst);
