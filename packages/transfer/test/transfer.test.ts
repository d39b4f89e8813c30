import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { content } from './support/content.ts';
import { temporaryDirectory } from './support/directory.ts';
import { bytes, describeTree, makeDeep, makeTree, name, type Tree } from './support/trees.ts';
import { Broken, chunkSize, flow, offer, openReceiver, place, transfer } from './support/transfer.ts';

const oddTree: Tree = {
  tree: { type: 'directory', mode: 0o700, mtime: 1_234_567_890.123456 },
  'tree/-dash': { type: 'file', content: Buffer.from('dash') },
  'tree/a\nb': { type: 'file', content: Buffer.from('newline') },
  'tree/back\\slash': { type: 'file', content: Buffer.from('x') },
  'tree/con': { type: 'file', content: Buffer.from('y') },
  'tree/empty': { type: 'file', content: Buffer.alloc(0), mode: 0o400 },
  'tree/empty dir': { type: 'directory', mode: 0o555 },
  [`tree/${'n'.repeat(255)}`]: { type: 'file', content: Buffer.from('long') },
  'tree/large': { type: 'file', content: content(5 * chunkSize + 17), mode: 0o444, mtime: 1_700_000_001.654321 },
  'tree/locked': { type: 'directory', mode: 0o555 },
  'tree/locked/file': { type: 'file', content: content(100), mode: 0o640 },
  'tree/locked/inner': { type: 'directory', mode: 0o511 },
  'tree/locked/inner/up': { type: 'symlink', target: '../../large' },
  'tree/link': { type: 'symlink', target: 'locked/file', mtime: 1_500_000_000 },
  [`tree/${name('e\u0301')}`]: { type: 'file', content: Buffer.from('decomposed') },
  [`tree/${name('\u00e9')}`]: { type: 'file', content: Buffer.from('composed') },
  [`tree/${name('🎉')}`]: { type: 'file', content: Buffer.from('emoji') },
  'tree/\xff\xfe\x80': { type: 'file', content: Buffer.from('not UTF-8') },
  'tree/exactly': { type: 'file', content: content(2 * chunkSize) },
  'tree/one': { type: 'file', content: content(chunkSize) },
  'tree/hollow': { type: 'file', content: Buffer.concat([Buffer.alloc(2 * chunkSize), content(chunkSize), Buffer.alloc(chunkSize + 9)]) },
  'tree/old': { type: 'file', content: Buffer.from('before 1970'), mtime: 0.000001 },
};

/** Source, destination and state of both sides. */
const places = async (where?: 'memory'): Promise<{ source: string; destination: string; state: string }> => {
  const root = await temporaryDirectory(where);
  const [source, destination, state] = ['source', 'destination', 'state'].map((part) => join(root, part));
  for (const path of [source, destination, state]) await mkdir(path ?? '');
  return { source: source ?? '', destination: destination ?? '', state: state ?? '' };
};

describe('from scan to placed', () => {
  test.each(['none', 'transfer'] as const)('a tree with odd names arrives identical, durability %s', async (durability) => {
    const { source, destination, state } = await places();
    await makeTree(source, oddTree);
    const { result, sent, counters, offered } = await transfer(state, [`${source}/tree/`], destination, { durability, split: [1, 70_000, 3, 900] });
    expect(await describeTree(destination)).toEqual(await describeTree(source));
    expect(sent.failures.size).toBe(0);
    expect(result).toEqual({ savedAs: [{ entry: 0, name: bytes('tree') }], delivered: Object.keys(oddTree).length, failed: 0, skipped: 0 });
    expect(counters).toEqual({ received: offered.scan.chunks, reused: 0, rewritten: 0 });
    expect(sent.sent).toBe(offered.scan.chunks);
    expect(await readdir(destination)).toEqual(['tree']);
  });

  test.each(['none', 'transfer'] as const)('several top-level entries of every kind, durability %s', async (durability) => {
    const { source, destination, state } = await places();
    const tree: Tree = {
      'a file': { type: 'file', content: content(3 * chunkSize + 5), mode: 0o400 },
      dir: { type: 'directory', mode: 0o500, mtime: 1_000_000_000.5 },
      empty: { type: 'file', content: Buffer.alloc(0), mode: 0o600 },
      link: { type: 'symlink', target: 'dangling/target', mtime: 1_100_000_000 },
    };
    // What only root may read.
    if (process.getuid?.() === 0) Object.assign(tree, { small: { type: 'file', content: content(10), mode: 0o200 }, unreadable: { type: 'directory', mode: 0o300 } });
    await makeTree(source, tree);
    const names = Object.keys(tree);
    const { result } = await transfer(state, names.map((each) => `${source}/${each}`), destination, { durability });
    expect(await describeTree(destination)).toEqual(await describeTree(source));
    expect(result).toEqual({ savedAs: names.map((each, entry) => ({ entry, name: bytes(each) })), delivered: names.length, failed: 0, skipped: 0 });
  });

  test('paths longer than a system call takes', async () => {
    const { source, destination, state } = await places();
    makeDeep(source, 'n'.repeat(200), 30);
    const { result } = await transfer(state, [`${source}/${'n'.repeat(200)}`], destination, { durability: 'transfer' });
    expect(result).toMatchObject({ delivered: 31, failed: 0 });
    // `find` goes down one directory at a time.
    const found = execFileSync('find', [destination, '-mindepth', '31', '-execdir', 'cat', '{}', ';']);
    expect(found.toString()).toBe('deep');
  });

  test('nothing but empty things', async () => {
    const { source, destination, state } = await places();
    await makeTree(source, { a: { type: 'directory' }, 'a/zero': { type: 'file', content: Buffer.alloc(0) }, b: { type: 'file', content: Buffer.alloc(0) } });
    const { counters } = await transfer(state, [`${source}/a`, `${source}/b`], destination, { durability: 'transfer' });
    expect(counters).toEqual({ received: 0, reused: 0, rewritten: 0 });
    expect(await describeTree(destination)).toEqual(await describeTree(source));
  });

  test('no descriptor stays open, whatever became of it', async () => {
    const { source, destination, state } = await places();
    await makeTree(source, oddTree);
    const descriptors = (): string[] => readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        return target.startsWith(join(source, '..')) ? [target] : [];
      } catch {
        return [];
      }
    });
    for (const breakAfter of [1, 100_000, Number.POSITIVE_INFINITY]) {
      const offered = await offer(state, [`${source}/tree`]);
      const receiver = await openReceiver(state, destination, offered);
      const done = await flow({ state, offered, receiver, breakAfter }).catch(() => undefined);
      if (done !== undefined) {
        await receiver.complete(done.contentRoot);
        await place(receiver, { durability: 'transfer' });
      }
      await receiver.close();
      await offered.sender.close();
      await offered.receiver.close();
      expect(descriptors()).toEqual([]);
    }
  });

  test('10,000 small files', async () => {
    const { source, destination, state } = await places('memory');
    const data = content(70_000);
    for (let directory = 0; directory < 100; directory += 1) {
      await mkdir(join(source, 'many', `d${directory}`), { recursive: true });
      for (let file = 0; file < 100; file += 1) writeFileSync(join(source, 'many', `d${directory}`, `f${file}`), data.subarray(file, file + 1 + ((directory * 100 + file) * 37) % 5_000));
    }
    await writeFile(join(source, 'many', 'd50', 'not so small'), data);
    const { result, counters } = await transfer(state, [join(source, 'many')], destination, { durability: 'transfer' });
    expect(result).toMatchObject({ delivered: 10_102, failed: 0 });
    expect(counters).toEqual({ received: 10_002, reused: 0, rewritten: 0 });
    expect(await describeTree(destination)).toEqual(await describeTree(source));
  }, 120_000);
});

describe('interrupted at any point', () => {
  const tree: Tree = {
    t: { type: 'directory' },
    't/a': { type: 'file', content: content(7 * chunkSize + 9, 2) },
    't/b': { type: 'directory', mode: 0o555 },
    't/b/one': { type: 'file', content: content(1_000, 3), mode: 0o444 },
    't/b/two': { type: 'file', content: content(30_000, 4), mode: process.getuid?.() === 0 ? 0o200 : 0o440 },
    't/b/zero': { type: 'file', content: Buffer.alloc(0) },
    't/c': { type: 'file', content: content(2 * chunkSize, 5) },
    't/d': { type: 'symlink', target: 'c' },
    't/e': { type: 'file', content: content(chunkSize + 1, 6) },
    't/f': { type: 'file', content: Buffer.concat([content(10, 7), Buffer.alloc(4 * chunkSize), content(chunkSize, 8), Buffer.alloc(2 * chunkSize)]) },
  };
  const total = 8 + 2 + 2 + 2 + 8;

  test('what was verified is not sent again, nothing is written twice, and all of it arrives', async () => {
    const { source, destination, state } = await places();
    await makeTree(source, tree);
    const expected = await describeTree(source);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ breakAfter: fc.integer({ min: 1, max: 900_000 }), restart: fc.boolean(), forgetful: fc.boolean() }), { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 4 }),
        async (interruptions, split) => {
          runs += 1;
          const [runState, runDestination] = [join(state, `${runs}`), join(destination, `${runs}`)];
          for (const path of [runState, runDestination]) await mkdir(path);
          const offered = await offer(runState, [`${source}/t`]);
          let receiver = await openReceiver(runState, runDestination, offered);
          let received = 0;
          try {
            for (const { breakAfter, restart, forgetful } of [...interruptions, { breakAfter: Number.POSITIVE_INFINITY, restart: false, forgetful: false }]) {
              const before = receiver.counters.received;
              const done = await flow({ state: runState, offered, receiver, split, breakAfter }).catch((error: unknown) => {
                if (!(error instanceof Broken)) throw error;
              });
              if (restart) {
                await receiver.close();
                receiver = await openReceiver(runState, runDestination, offered);
              }
              await receiver.verify(new AbortController().signal);
              const now = receiver.counters;
              received += now.received - before;
              expect(now.received).toBe(received);
              // A clean close and a re-link both know of every chunk that was received.
              expect(now.reused).toBe(received);
              expect(now.rewritten).toBe(0);
              if (forgetful) await writeFile(join(runState, 'sender.journal'), '');
              if (done === undefined) continue;
              expect(received).toBe(total);
              await receiver.complete(done.contentRoot);
              expect(await place(receiver)).toMatchObject({ delivered: 10, failed: 0 });
              expect(receiver.counters).toEqual({ received: total, reused: total, rewritten: 0 });
              expect(await describeTree(runDestination)).toEqual(expected);
              return;
            }
          } finally {
            await receiver.close();
            await offered.sender.close();
            await offered.receiver.close();
          }
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);
});
