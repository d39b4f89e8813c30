import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlaceResult } from '../../src/index.ts';
import { EntryBatch } from '../../src/thread/entry-batch.ts';
import { MergedFiles } from '../../src/thread/merged-files.ts';
import { content } from '../support/content.ts';
import { beforeCall, Crash, crashingAfter, crashingInThread, step, withoutLinks } from '../support/crash.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { type Described, describeTree, makeFifo, makeTree, type Tree } from '../support/trees.ts';
import { chunkSize, flow, MemoryLog, offer, type Offered, openReceiver, place, transfer } from '../support/transfer.ts';

const ours = (seed: number): Buffer => content(300, seed);
const theirs = Buffer.from('theirs');

/** In manifest order. */
const sources: Tree = {
  clash: { type: 'directory', mode: 0o755 },
  'clash/below': { type: 'file', content: ours(1) },
  dir: { type: 'directory', mode: 0o751, mtime: 1_000_000_000 },
  'dir/a': { type: 'file', content: ours(2), mode: 0o640 },
  'dir/b': { type: 'file', content: content(chunkSize + 9, 3) },
  'dir/both': { type: 'directory', mode: 0o750, mtime: 1_000_000_001 },
  'dir/both/deep': { type: 'file', content: ours(4) },
  'dir/both/new': { type: 'file', content: ours(5), mode: 0o400 },
  'dir/file over directory': { type: 'file', content: ours(6) },
  'dir/fresh': { type: 'directory', mode: 0o555, mtime: 1_000_000_002 },
  'dir/fresh/inner': { type: 'directory', mode: 0o500, mtime: 1_000_000_003 },
  'dir/fresh/inner/file': { type: 'file', content: ours(7) },
  'dir/link': { type: 'symlink', target: 'a' },
  'dir/link over file': { type: 'symlink', target: 'b' },
  'dir/pipe': { type: 'file', content: ours(8) },
  'dir/under link': { type: 'directory' },
  'dir/under link/file': { type: 'file', content: ours(9) },
  fresh: { type: 'file', content: ours(10) },
  'fresh dir': { type: 'directory', mode: 0o555, mtime: 1_000_000_004 },
  'fresh dir/file': { type: 'file', content: ours(11) },
  lost: { type: 'file', content: ours(12) },
  onlink: { type: 'file', content: ours(13) },
  same: { type: 'file', content: ours(14) },
};
const paths = Object.keys(sources);
const indexOf = (path: string): number => paths.indexOf(path);
/** The sender gives it up. */
const lost = indexOf('lost');

/** @param outside where no link may lead */
const foreign = (outside: string): Tree => ({
  clash: { type: 'file', content: theirs },
  dir: { type: 'directory', mode: 0o700, mtime: 1_100_000_000 },
  'dir/a': { type: 'file', content: theirs, mode: 0o600 },
  'dir/both': { type: 'directory', mode: 0o700, mtime: 1_100_000_001 },
  'dir/both/deep': { type: 'symlink', target: `${outside}/kept` },
  'dir/both/stays': { type: 'file', content: theirs },
  'dir/file over directory': { type: 'directory' },
  'dir/file over directory/inside': { type: 'file', content: theirs },
  'dir/link': { type: 'symlink', target: outside },
  'dir/link over file': { type: 'file', content: theirs },
  'dir/under link': { type: 'symlink', target: outside },
  onlink: { type: 'symlink', target: `${outside}/absent` },
  same: { type: 'file', content: theirs },
});

interface World {
  readonly state: string;
  readonly destination: string;
  readonly outside: string;
  readonly offered: Offered;
  readonly contentRoot: Buffer;
  readonly log: MemoryLog;
}

const worldAt = async (root: string, source: string): Promise<World> => {
  const [state, destination] = [join(root, 'state'), join(root, 'destination')];
  // The same for all worlds of a test, so that links to it are the same too.
  const outside = join(dirname(root), 'outside');
  for (const path of [root, state, destination]) await mkdir(path);
  await makeTree(destination, foreign(outside));
  makeFifo(join(destination, 'dir/pipe'));
  utimesSync(join(destination, 'dir/pipe'), 1, 1_100_000_002);
  utimesSync(join(destination, 'dir'), 1, 1_100_000_000);
  const offered = await offer(state, paths.filter((path) => !path.includes('/')).map((path) => join(source, path)));
  const receiver = await openReceiver(state, destination, offered);
  const { contentRoot } = await flow({ state, offered, receiver, alreadyFailed: new Set([lost]) });
  await receiver.close();
  const log = new MemoryLog();
  log.before = () => step();
  return { state, destination, outside, offered, contentRoot, log };
};

type Policy = 'overwrite' | 'skip';
type Durability = 'transfer' | 'none';

const deliver = async (world: World, conflict: Policy, durability: Durability) => {
  const receiver = await openReceiver(world.state, world.destination, world.offered);
  try {
    if (!receiver.sealed) {
      receiver.entryFailed(lost, 'source_changed', 'changed');
      await receiver.verify(new AbortController().signal);
      await receiver.complete(world.contentRoot);
    }
    const result: PlaceResult = await place(receiver, { conflict, durability, log: world.log });
    return { result, failures: [...receiver.failures].map(([entry, { code }]) => [paths[entry], code]).toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)), skipped: receiver.skipped };
  } finally {
    await receiver.close();
  }
};

const end = async ({ offered }: World): Promise<void> => {
  await offered.sender.close();
  await offered.receiver.close();
};

const sourceTree = async (): Promise<{ root: string; source: string }> => {
  const root = await temporaryDirectory('memory');
  const source = join(root, 'source');
  await mkdir(source);
  await makeTree(source, sources);
  await mkdir(join(root, 'outside'));
  await makeTree(join(root, 'outside'), { kept: { type: 'file', content: theirs }, file: { type: 'file', content: theirs } });
  return { root, source };
};

const outsideTree = { kept: expect.objectContaining({ type: 'file', mode: '644' }), file: expect.objectContaining({ type: 'file' }) };

interface Seen {
  readonly tree: Record<string, Described>;
  readonly outcome: Awaited<ReturnType<typeof deliver>>;
}

/** Directories that were there and are only filled change their times as any directory does. */
const stable = (tree: Record<string, Described>, conflict: Policy): Record<string, Described> =>
  conflict === 'overwrite' ? tree : Object.fromEntries(Object.entries(tree).map(([path, item]) => [path, ['dir', 'dir/both'].includes(path) ? { ...item, micros: '' } : item]));

const observed = async (world: World, conflict: Policy, durability: Durability): Promise<Seen> => {
  const outcome = await deliver(world, conflict, durability);
  const tree = await describeTree(world.destination);
  // Once more: nothing is left to do.
  expect(await deliver(world, conflict, durability)).toEqual(outcome);
  expect(await describeTree(world.destination)).toEqual(tree);
  expect(readdirSync(world.destination).filter((name) => name.startsWith('.peerd'))).toEqual([]);
  expect(await describeTree(world.outside)).toEqual(outsideTree);
  return { tree: stable(tree, conflict), outcome };
};

describe.each(['transfer', 'none'] as const)('durability %s', (durability) => {
  test('overwrite replaces files and links, goes into directories, and refuses what is of another kind', async () => {
    const { root, source } = await sourceTree();
    const world = await worldAt(join(root, 'world'), source);
    try {
      const before = statSync(join(world.destination, 'same')).ino;
      const { tree, outcome } = await observed(world, 'overwrite', durability);
      const expected = await describeTree(source);
      for (const path of ['dir', 'dir/a', 'dir/b', 'dir/both', 'dir/both/deep', 'dir/both/new', 'dir/fresh', 'dir/fresh/inner', 'dir/fresh/inner/file', 'dir/link', 'dir/link over file', 'fresh', 'fresh dir', 'fresh dir/file', 'onlink', 'same'])
        expect([path, tree[path]]).toEqual([path, expected[path]]);
      expect(tree).toMatchObject({
        clash: { type: 'file' }, 'dir/both/stays': { type: 'file' }, 'dir/file over directory/inside': { type: 'file' }, 'dir/under link': { type: 'symlink', content: world.outside }, 'dir/pipe': { type: 'special' },
      });
      expect(statSync(join(world.destination, 'same')).ino).not.toBe(before);
      expect(outcome.failures).toEqual([['clash', 'type_conflict'], ['dir/file over directory', 'type_conflict'], ['dir/pipe', 'type_conflict'], ['dir/under link', 'type_conflict'], ['lost', 'source_changed']]);
      // `clash/below` and `dir/under link/file` failed with their directories.
      expect(outcome.result).toMatchObject({ delivered: paths.length - 7, failed: 7, skipped: 0 });
      expect(outcome.result.savedAs.map(({ name }) => name.toString())).toEqual(['dir', 'fresh', 'fresh dir', 'onlink', 'same']);
    } finally {
      await end(world);
    }
  });

  test('skip keeps what is there and adds what is not', async () => {
    const { root, source } = await sourceTree();
    const world = await worldAt(join(root, 'world'), source);
    try {
      const before = await describeTree(world.destination);
      const { tree, outcome } = await observed(world, 'skip', durability);
      const expected = await describeTree(source);
      for (const [path, item] of Object.entries(before).filter(([path]) => !path.startsWith('.peerd'))) expect([path, tree[path]]).toEqual([path, ['dir', 'dir/both'].includes(path) ? { ...item, micros: '' } : item]);
      for (const path of ['dir/b', 'dir/both/new', 'dir/fresh', 'dir/fresh/inner', 'dir/fresh/inner/file', 'fresh', 'fresh dir', 'fresh dir/file']) expect([path, tree[path]]).toEqual([path, expected[path]]);
      const skipped = ['dir/a', 'dir/both/deep', 'dir/link', 'dir/link over file', 'dir/pipe', 'onlink', 'same'];
      expect(outcome.skipped.flatMap(({ start, count }) => paths.slice(start, start + count))).toEqual(skipped);
      expect(outcome.failures).toEqual([['clash', 'type_conflict'], ['dir/file over directory', 'type_conflict'], ['dir/under link', 'type_conflict'], ['lost', 'source_changed']]);
      expect(outcome.result).toMatchObject({ delivered: paths.length - 6 - skipped.length, failed: 6, skipped: skipped.length });
      expect(outcome.result.savedAs.map(({ name }) => name.toString())).toEqual(['dir', 'fresh', 'fresh dir']);
    } finally {
      await end(world);
    }
  });
});

describe.each([
  ['overwrite', 'transfer', 'process', crashingAfter],
  ['overwrite', 'none', 'file thread', crashingInThread],
  ['skip', 'none', 'process', crashingAfter],
  ['skip', 'transfer', 'file thread', crashingInThread],
] as const)('policy %s, durability %s', (conflict, durability, who, crashing) => {
  test(`a crash before any call of the ${who}, then another run: the same as without`, async () => {
    const { root, source } = await sourceTree();
    const runAt = async (name: string, life: number | undefined): Promise<Seen & { finished: boolean }> => {
      const world = await worldAt(join(root, name), source);
      try {
        const { finished } = life === undefined ? { finished: true } : await crashing(life, async () => void (await deliver(world, conflict, durability)));
        return { ...(await observed(world, conflict, durability)), finished };
      } finally {
        await end(world);
      }
    };
    const calm = await runAt('calm', undefined);
    let life = 0;
    for (let finished = false; !finished; life += 1) {
      const stormy = await runAt(`${life}`, life);
      expect(stormy.outcome).toEqual(calm.outcome);
      expect(stormy.tree).toEqual(calm.tree);
      ({ finished } = stormy);
    }
    expect(life).toBeGreaterThan(20);
  }, 120_000);
});

test('skip on a file system without hard links', async () => {
  const { root, source } = await sourceTree();
  const [linked, linkless] = [await worldAt(join(root, 'linked'), source), await worldAt(join(root, 'linkless'), source)];
  try {
    const calm = await observed(linked, 'skip', 'none');
    await withoutLinks(async () => void (await crashingInThread(Number.POSITIVE_INFINITY, async () => void (await deliver(linkless, 'skip', 'none')))));
    expect(await observed(linkless, 'skip', 'none')).toEqual(calm);
  } finally {
    await end(linked);
    await end(linkless);
  }
});

test('what was delivered and then taken away by its owner is not made a second time', async () => {
  const { root, source } = await sourceTree();
  const world = await worldAt(join(root, 'world'), source);
  try {
    world.log.before = (at) => {
      if (at.startsWith('placed')) throw new Crash();
    };
    await expect(deliver(world, 'skip', 'none')).rejects.toThrow(Crash);
    const taken = ['fresh', 'dir/b', 'dir/fresh'];
    // A directory without write permission can't be moved.
    chmodSync(join(world.destination, 'dir/fresh'), 0o755);
    for (const [number, path] of taken.entries()) renameSync(join(world.destination, path), join(root, `taken ${number}`));
    world.log.before = () => undefined;
    await deliver(world, 'skip', 'none');
    const tree = await describeTree(world.destination);
    expect(taken.filter((path) => path in tree)).toEqual([]);
    expect(readFileSync(join(world.destination, 'dir/a'))).toEqual(theirs);
  } finally {
    await end(world);
  }
});

/** Names that meet each other often. */
const nodes = fc.letrec<{ children: [string, Node][]; node: Node }>((tie) => ({
  children: fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), tie('node')), { selector: ([name]) => name, maxLength: 3 }),
  node: fc.oneof(
    { depthSize: 'small' },
    fc.constant<Node>('file'),
    fc.constant<Node>('link'),
    tie('children').map((children): Node => children),
  ),
}));
type Node = 'file' | 'link' | [string, Node][];

const treeOf = (children: [string, Node][], target: string, text: string, above = ''): Tree =>
  Object.fromEntries(
    children.flatMap(([name, node]): [string, Tree[string]][] => {
      const path = above + name;
      if (node === 'file') return [[path, { type: 'file', content: Buffer.from(`${text} ${path}`) }]];
      if (node === 'link') return [[path, { type: 'symlink', target }]];
      return [[path, { type: 'directory' }], ...Object.entries(treeOf(node, target, text, `${path}/`))];
    }),
  );

/** What becomes of two trees, said in the simplest way. */
const merged = (there: Tree, sent: Tree, policy: Policy): { tree: Tree; failed: string[]; skipped: string[] } => {
  const tree = { ...there };
  const [failed, skipped]: [string[], string[]] = [[], []];
  for (const path of Object.keys(sent).sort()) {
    const node = sent[path];
    const old = there[path];
    if (node === undefined || failed.some((other) => path.startsWith(`${other}/`))) continue;
    if (old === undefined) tree[path] = node;
    else if ((old.type === 'directory') !== (node.type === 'directory')) failed.push(path);
    else if (node.type !== 'directory' && policy === 'skip') skipped.push(path);
    else tree[path] = node;
  }
  return { tree, failed, skipped };
};

const shape = (tree: Record<string, Described>): Record<string, string> => Object.fromEntries(Object.entries(tree).map(([path, { type, content: what }]) => [path, type === 'directory' ? type : `${type} ${what}`]));

test('any tree into any other, with links that lead outside: what the rules say, and nothing outside is touched', async () => {
  const root = await temporaryDirectory('memory');
  const outside = join(root, 'outside');
  mkdirSync(outside);
  await makeTree(outside, { a: { type: 'directory' }, 'a/b': { type: 'file', content: theirs }, b: { type: 'file', content: theirs } });
  const before = await describeTree(outside);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(nodes.children.filter((children) => children.length > 0), nodes.children, fc.constantFrom<Policy>('overwrite', 'skip'), async (sending, standing, policy) => {
      const [source, destination, state, expected] = ['source', 'destination', 'state', 'expected'].map((name) => join(root, `${(run += 1)} ${name}`)) as [string, string, string, string];
      for (const path of [source, destination, state, expected]) mkdirSync(path);
      const [sent, there] = [treeOf(sending, 'dangling', 'new'), treeOf(standing, outside, 'old')];
      await makeTree(source, sent);
      await makeTree(destination, there);
      const wanted = merged(there, sent, policy);
      await makeTree(expected, wanted.tree);
      const { result } = await transfer(state, sending.map(([name]) => join(source, name)), destination, { conflict: policy });
      expect(shape(await describeTree(destination))).toEqual(shape(await describeTree(expected)));
      const failed = Object.keys(sent).filter((path) => wanted.failed.some((other) => path === other || path.startsWith(`${other}/`)));
      expect(result).toMatchObject({ delivered: Object.keys(sent).length - failed.length - wanted.skipped.length, failed: failed.length, skipped: wanted.skipped.length });
      expect(await describeTree(outside)).toEqual(before);
    }),
    { numRuns: 150 },
  );
}, 60_000);

test('a directory that becomes a link while it is merged into does not lead outside', async () => {
  for (const at of ['openSync', 'lstatSync', 'renameSync'] as const) {
    for (let call = 1; call <= 12; call += 1) {
      const root = await temporaryDirectory('memory');
      const [staged, destination, outside] = ['staged', 'destination', 'outside'].map((name) => join(root, name)) as [string, string, string];
      for (const path of [staged, destination, outside]) mkdirSync(path);
      const tree: Tree = { d: { type: 'directory' }, 'd/e': { type: 'directory' }, 'd/e/f': { type: 'file', content: ours(1) }, 'd/e/g': { type: 'file', content: ours(2) } };
      await makeTree(staged, tree);
      await makeTree(destination, { d: { type: 'directory' }, 'd/e': { type: 'directory' }, 'd/e/f': { type: 'file', content: theirs } });
      await makeTree(outside, { f: { type: 'file', content: theirs }, e: { type: 'directory' }, 'e/f': { type: 'file', content: theirs } });
      const before = await describeTree(outside);
      const [stagedFd, destinationFd] = [openSync(staged, 'r'), openSync(destination, 'r')];
      const merging = new MergedFiles({ stagedFd, destinationFd, policy: 'overwrite', flush: false });
      const batch = new EntryBatch();
      for (const [path, node] of Object.entries(tree)) batch.add({ path: path.split('/').map((part) => Buffer.from(part)), type: node.type, size: 300, mode: 0o755, mtime: [0, 0] });
      beforeCall(at, call, () => {
        renameSync(join(destination, 'd/e'), join(destination, 'moved'));
        symlinkSync(outside, join(destination, 'd/e'));
      }, () => {
        merging.merge(batch.take());
        merging.finish();
      });
      merging.close();
      for (const fd of [stagedFd, destinationFd]) closeSync(fd);
      expect([at, call, await describeTree(outside)]).toEqual([at, call, before]);
    }
  }
});

test('a directory that takes the name of one that was gone into keeps its mode', async () => {
  const destination = await temporaryDirectory('memory');
  const staged = await temporaryDirectory('memory');
  for (const directory of [staged, destination]) mkdirSync(join(directory, 'd'));
  mkdirSync(join(destination, 'private'), { mode: 0o700 });
  const [stagedFd, destinationFd] = [openSync(staged, 'r'), openSync(destination, 'r')];
  const merging = new MergedFiles({ stagedFd, destinationFd, policy: 'overwrite', flush: false });
  const batch = new EntryBatch();
  batch.add({ path: [Buffer.from('d')], type: 'directory', size: 0, mode: 0o777, mtime: [0, 0] });
  merging.merge(batch.take());
  renameSync(join(destination, 'd'), join(destination, 'away'));
  renameSync(join(destination, 'private'), join(destination, 'd'));
  merging.finish();
  merging.close();
  for (const fd of [stagedFd, destinationFd]) closeSync(fd);
  expect(statSync(join(destination, 'd')).mode & 0o777).toBe(0o700);
});

test('names of staging directories are not merged into', async () => {
  const root = await temporaryDirectory('memory');
  const [source, destination, state] = ['source', 'destination', 'state'].map((name) => join(root, name)) as [string, string, string];
  for (const path of [source, destination, state]) mkdirSync(path);
  await makeTree(source, { '.peerd-other': { type: 'directory' }, '.peerd-other/t': { type: 'directory' }, '.peerd-other/t/x': { type: 'file', content: ours(1) }, fine: { type: 'file', content: ours(2) } });
  mkdirSync(join(destination, '.peerd-other/t'), { recursive: true });
  writeFileSync(join(destination, '.peerd-other/t/x'), theirs);
  const offered = await offer(state, [join(source, '.peerd-other'), join(source, 'fine')]);
  const receiver = await openReceiver(state, destination, offered);
  try {
    const { contentRoot } = await flow({ state, offered, receiver });
    await receiver.complete(contentRoot);
    expect(await place(receiver, { conflict: 'overwrite' })).toMatchObject({ delivered: 1, failed: 3 });
    expect(readFileSync(join(destination, '.peerd-other/t/x'))).toEqual(theirs);
  } finally {
    await receiver.close();
    await offered.sender.close();
    await offered.receiver.close();
  }
});
