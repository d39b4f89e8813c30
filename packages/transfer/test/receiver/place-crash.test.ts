import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlaceResult } from '../../src/index.ts';
import { content } from '../support/content.ts';
import { Crash, crashingAfter, step, withoutLinks } from '../support/crash.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { type Described, describeTree, makeTree, type Tree } from '../support/trees.ts';
import { chunkSize, flow, MemoryLog, offer, type Offered, openReceiver, place } from '../support/transfer.ts';

const sources: Tree = {
  'a (1).txt': { type: 'file', content: content(20, 1) },
  'a.txt': { type: 'file', content: content(chunkSize * 2 + 1, 2), mode: 0o400 },
  dir: { type: 'directory', mode: 0o555, mtime: 1_000_000_000 },
  'dir/inner': { type: 'directory', mode: 0o500, mtime: 1_000_000_001 },
  'dir/inner/file': { type: 'file', content: content(5_000, 3) },
  'dir/inner/link': { type: 'symlink', target: 'file' },
  empty: { type: 'file', content: Buffer.alloc(0) },
  link: { type: 'symlink', target: 'a.txt' },
  lost: { type: 'file', content: content(100, 4) },
  new: { type: 'directory', mode: 0o750, mtime: 1_000_000_002 },
};

const foreign: Tree = {
  'a.txt': { type: 'file', content: Buffer.from('was here') },
  dir: { type: 'directory', mode: 0o700 },
  link: { type: 'file', content: Buffer.from('was here too') },
};

/** Entry index of `lost`, which the sender gives up. */
const lost = 8;

interface World {
  readonly state: string;
  readonly destination: string;
  readonly offered: Offered;
  readonly contentRoot: Buffer;
  readonly log: MemoryLog;
}

const worldAt = async (root: string, source: string): Promise<World> => {
  const [state, destination] = [join(root, 'state'), join(root, 'destination')];
  for (const path of [root, state, destination]) await mkdir(path);
  await makeTree(destination, foreign);
  const offered = await offer(state, Object.keys(sources).filter((path) => !path.includes('/')).map((path) => join(source, path)));
  const receiver = await openReceiver(state, destination, offered);
  const { contentRoot } = await flow({ state, offered, receiver, alreadyFailed: new Set([lost]) });
  await receiver.close();
  const log = new MemoryLog();
  log.before = () => step();
  return { state, destination, offered, contentRoot, log };
};

/** What peerd does when a transfer has all its content: after a start as before. */
const deliver = async (world: World, conflict: 'rename' | 'fail', durability: 'transfer' | 'none', placing: (run: () => Promise<void>) => Promise<void> = (run) => run()) => {
  const receiver = await openReceiver(world.state, world.destination, world.offered);
  try {
    if (!receiver.sealed) {
      receiver.entryFailed(lost, 'source_changed', 'changed');
      await receiver.verify(new AbortController().signal);
      await receiver.complete(world.contentRoot);
    }
    let result: PlaceResult | undefined;
    await placing(async () => {
      result = await place(receiver, { conflict, durability, log: world.log });
    });
    return { result, failures: [...receiver.failures].map(([entry, { code }]) => [entry, code]) };
  } finally {
    await receiver.close();
  }
};

interface Delivered {
  readonly tree: Record<string, Described>;
  readonly outcome: Awaited<ReturnType<typeof deliver>>;
}

const end = async (world: World): Promise<void> => {
  await world.offered.sender.close();
  await world.offered.receiver.close();
};

/** With a life of so many calls each, and then one to the end. `whole`: from the start of the process; else from the start of the placement. */
const deliverWithCrashes = async (root: string, source: string, conflict: 'rename' | 'fail', durability: 'transfer' | 'none', lives: readonly number[], whole = false): Promise<Delivered & { crashes: number }> => {
  const world = await worldAt(root, source);
  const before = await describeTree(world.destination);
  let crashes = 0;
  try {
    for (const life of lives) {
      let finished = true;
      const crashing = async (run: () => Promise<void>): Promise<void> => {
        ({ finished } = await crashingAfter(life, run));
      };
      if (whole) await crashing(async () => void (await deliver(world, conflict, durability)));
      else await deliver(world, conflict, durability, crashing);
      if (!finished) crashes += 1;
      const now = await describeTree(world.destination);
      for (const path of Object.keys(foreign)) expect(now[path]).toEqual(before[path]);
    }
    const outcome = await deliver(world, conflict, durability);
    const tree = await describeTree(world.destination);
    expect(await deliver(world, conflict, durability)).toEqual(outcome);
    expect(await describeTree(world.destination)).toEqual(tree);
    expect((await readdir(world.destination)).filter((name) => name.startsWith('.peerd'))).toEqual([]);
    return { tree, outcome, crashes };
  } finally {
    await end(world);
  }
};

describe.each([
  ['rename', 'transfer', 'with', ['a (1).txt', 'a (2).txt', 'dir (1)', 'empty', 'link (1)', 'new']],
  ['rename', 'none', 'without', ['a (1).txt', 'a (2).txt', 'dir (1)', 'empty', 'link (1)', 'new']],
  ['fail', 'none', 'with', ['a (1).txt', 'empty', 'new']],
] as const)('policy %s, durability %s, %s hard links', (conflict, durability, links, names) => {
  test('a crash before any call, then another run: the same as without', async () => {
    const root = await temporaryDirectory('memory');
    const source = join(root, 'source');
    await mkdir(source);
    await makeTree(source, sources);
    const calm = await deliverWithCrashes(join(root, 'calm'), source, conflict, durability, []);
    expect(calm.outcome.result?.savedAs.map(({ name }) => name.toString())).toEqual([...names]);
    expect((calm.outcome.result?.delivered ?? 0) + (calm.outcome.result?.failed ?? 0)).toBe(Object.keys(sources).length);
    let finished = false;
    let life = 0;
    for (; !finished; life += 1) {
      const run = (): ReturnType<typeof deliverWithCrashes> => deliverWithCrashes(join(root, `${life}`), source, conflict, durability, [life]);
      const stormy = links === 'with' ? await run() : await withoutLinks(run);
      expect(stormy.outcome).toEqual(calm.outcome);
      expect(stormy.tree).toEqual(calm.tree);
      finished = stormy.crashes === 0;
    }
    expect(life).toBeGreaterThan(30);
  }, 120_000);
});

test('several crashes in a row', async () => {
  const root = await temporaryDirectory('memory');
  const source = join(root, 'source');
  await mkdir(source);
  await makeTree(source, sources);
  const calm = await deliverWithCrashes(join(root, 'calm'), source, 'rename', 'transfer', []);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(110), { minLength: 2, maxLength: 5 }), async (lives) => {
      const stormy = await deliverWithCrashes(join(root, `${(run += 1)}`), source, 'rename', 'transfer', lives, true);
      expect(stormy.outcome).toEqual(calm.outcome);
      expect(stormy.tree).toEqual(calm.tree);
    }),
    { numRuns: 20 },
  );
}, 120_000);

test('somebody takes a name that was free a moment ago: what is theirs stays, ours gets the next name', async () => {
  const root = await temporaryDirectory('memory');
  const source = join(root, 'source');
  await mkdir(source);
  await makeTree(source, sources);
  const world = await worldAt(join(root, 'world'), source);
  const theirs = (name: string): string => join(world.destination, name);
  try {
    const seen = new Set<string>();
    world.log.before = (at) => {
      if (seen.has(at)) return;
      seen.add(at);
      // The names are chosen and logged, nothing is moved yet.
      if (at === 'intended 0') writeFileSync(theirs('a (1).txt'), 'theirs');
      if (at === 'intended 2') mkdirSync(theirs('dir (1)'));
      if (at === 'intended 7') symlinkSync('nowhere', theirs('link (1)'));
      if (at === 'intended 9') {
        mkdirSync(theirs('new'), { recursive: true });
        writeFileSync(theirs('new/file'), 'theirs');
      }
    };
    const { result } = await deliver(world, 'rename', 'none');
    expect(result?.savedAs.map(({ name }) => name.toString())).toEqual(['a (1) (1).txt', 'a (2).txt', 'dir (2)', 'empty', 'link (2)', 'new (1)']);
    const tree = await describeTree(world.destination);
    expect(tree).toMatchObject({ 'a (1).txt': { mode: '644' }, 'dir (1)': { type: 'directory', mode: '755' }, 'link (1)': { content: 'nowhere' }, 'new/file': { type: 'file' } });
    expect(readFileSync(theirs('a (1).txt'), 'utf8')).toBe('theirs');
  } finally {
    await end(world);
  }
});

test('what was placed and then taken away by its owner is not made a second time', async () => {
  const root = await temporaryDirectory('memory');
  const source = join(root, 'source');
  await mkdir(source);
  await makeTree(source, sources);
  const world = await worldAt(join(root, 'world'), source);
  try {
    world.log.before = (at) => {
      if (at.startsWith('placed')) throw new Crash();
    };
    await expect(deliver(world, 'rename', 'none')).rejects.toThrow(Crash);
    await mkdir(join(root, 'elsewhere'));
    for (const name of ['a (2).txt', 'new']) renameSync(join(world.destination, name), join(root, 'elsewhere', name));
    world.log.before = () => undefined;
    const { result } = await deliver(world, 'rename', 'none');
    expect(result).toMatchObject({ delivered: 9, failed: 1 });
    expect((await readdir(world.destination)).sort()).toEqual(['a (1).txt', 'a.txt', 'dir', 'dir (1)', 'empty', 'link', 'link (1)']);
  } finally {
    await end(world);
  }
});

test('once sealed, the rest needs neither sender nor content', async () => {
  const root = await temporaryDirectory('memory');
  const source = join(root, 'source');
  await mkdir(source);
  await makeTree(source, sources);
  const world = await worldAt(join(root, 'world'), source);
  try {
    world.log.before = () => {
      throw new Crash();
    };
    await expect(deliver(world, 'rename', 'none')).rejects.toThrow(Crash);
    const receiver = await openReceiver(world.state, world.destination, world.offered);
    expect(receiver.sealed).toBe(true);
    expect([...receiver.failures]).toEqual([[lost, { code: 'source_changed', message: 'changed' }]]);
    await receiver.verify(new AbortController().signal);
    // Of the five chunks, the one of the failed file has never come.
    expect(receiver.counters).toEqual({ received: 5, reused: 5, rewritten: 0 });
    await receiver.complete(world.contentRoot);
    await expect(receiver.complete(Buffer.alloc(32))).rejects.toMatchObject({ code: 'integrity' });
    await expect(flow({ state: world.state, offered: world.offered, receiver })).rejects.toMatchObject({ code: 'malformed_frame' });
    await receiver.close();
  } finally {
    await end(world);
  }
});

test('a log that fails stops everything, and the next run goes on', async () => {
  const root = await temporaryDirectory('memory');
  const source = join(root, 'source');
  await mkdir(source);
  await makeTree(source, sources);
  const world = await worldAt(join(root, 'world'), source);
  try {
    for (const failing of ['intend 1', 'intended 1', 'placed 6', 'was placed 6']) {
      world.log.before = (at) => {
        if (at === failing) throw new Crash(at);
      };
      await expect(deliver(world, 'rename', 'none')).rejects.toThrow(failing);
    }
    world.log.before = () => undefined;
    const { result } = await deliver(world, 'rename', 'none');
    expect(result?.savedAs.map(({ name }) => name.toString())).toEqual(['a (1).txt', 'a (2).txt', 'dir (1)', 'empty', 'link (1)', 'new']);
  } finally {
    await end(world);
  }
});
