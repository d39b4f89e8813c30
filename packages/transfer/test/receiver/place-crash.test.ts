import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlaceResult } from '../../src/index.ts';
import { content } from '../support/content.ts';
import { Crash, crashingAfter, step } from '../support/crash.ts';
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
  ['rename', 'transfer', ['a (1).txt', 'a (2).txt', 'dir (1)', 'empty', 'link (1)', 'new']],
  ['fail', 'none', ['a (1).txt', 'empty', 'new']],
] as const)('policy %s, durability %s', (conflict, durability, names) => {
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
      const stormy = await deliverWithCrashes(join(root, `${life}`), source, conflict, durability, [life]);
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
