import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assess, assessEntries, Manifest } from '../../src/index.ts';
import { content } from '../support/content.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { describeTree, makeFifo, makeTree, type Tree } from '../support/trees.ts';
import { chunkSize, offer } from '../support/transfer.ts';

const { signal } = new AbortController();

const sources: Tree = {
  'before 1970': { type: 'file', content: content(5), mtime: 0.000001 },
  changed: { type: 'file', content: content(5) },
  dir: { type: 'directory' },
  'dir/later': { type: 'file', content: content(5) },
  'dir/new': { type: 'file', content: content(5) },
  'dir/same': { type: 'file', content: content(5), mode: 0o755 },
  fifo: { type: 'file', content: content(5) },
  gone: { type: 'directory' },
  'gone/x': { type: 'file', content: content(5) },
  link: { type: 'symlink', target: 'changed' },
  link2: { type: 'symlink', target: 'changed' },
  through: { type: 'directory' },
  'through/x': { type: 'file', content: content(5) },
};

const setUp = async (): Promise<{ root: string; destination: string; manifest: Manifest }> => {
  const root = await temporaryDirectory();
  const [source, state, destination] = ['source', 'state', 'destination'].map((name) => join(root, name)) as [string, string, string];
  for (const path of [source, state, destination, join(root, 'outside')]) mkdirSync(path);
  await makeTree(source, sources);
  const offered = await offer(state, Object.keys(sources).filter((path) => !path.includes('/')).map((path) => join(source, path)));
  await offered.sender.close();
  return { root, destination, manifest: offered.receiver };
};

test('new, same, in conflict: by size, time, target and kind, and no link is followed', async () => {
  const { root, destination, manifest } = await setUp();
  await makeTree(destination, {
    'before 1970': { type: 'file', content: content(5, 9), mtime: 0.000001 },
    changed: { type: 'file', content: content(6) },
    dir: { type: 'directory', mode: 0o700 },
    'dir/later': { type: 'file', content: content(5), mtime: 1_700_000_001 },
    'dir/same': { type: 'file', content: content(5) },
    link: { type: 'symlink', target: 'changed' },
    link2: { type: 'symlink', target: 'elsewhere' },
  });
  makeFifo(join(destination, 'fifo'));
  writeFileSync(join(root, 'outside', 'x'), content(5));
  symlinkSync(join(root, 'outside'), join(destination, 'through'));
  const before = await describeTree(destination);
  const found: Record<string, string> = {};
  for await (const { entry, comparison } of assessEntries({ manifest, destination, from: 0, limit: 1_000, signal })) found[Buffer.concat(entry.path.flatMap((part, depth) => (depth === 0 ? [part] : [Buffer.from('/'), part]))).toString()] = comparison;
  expect(found).toEqual({
    'before 1970': 'same', changed: 'conflict', dir: 'same', 'dir/later': 'conflict', 'dir/new': 'new', 'dir/same': 'same', fifo: 'conflict', gone: 'new', 'gone/x': 'new', link: 'same', link2: 'conflict',
    through: 'conflict', 'through/x': 'new',
  });
  const risky: string[] = [];
  expect(await assess({ manifest, destination, from: 0, limit: 1_000, signal }, ({ entry, risks }) => risky.push(`${String(entry.path.at(-1))} ${risks.join()}`))).toEqual({ new: 4, same: 4, conflict: 5, risky: 1, entries: 13 });
  expect(risky).toEqual(['same executable']);
  expect(await describeTree(destination)).toEqual(before);
  await manifest.close();
});

test('a part of it, a directory that is not there, one that cannot be one', async () => {
  const { root, destination, manifest } = await setUp();
  const part: number[] = [];
  for await (const { index } of assessEntries({ manifest, destination, from: 3, limit: 4, signal })) part.push(index);
  expect(part).toEqual([3, 4, 5, 6]);
  expect(await assess({ manifest, destination: join(root, 'absent'), from: 0, limit: 5, signal }, () => {})).toMatchObject({ new: 5, entries: 5 });
  writeFileSync(join(root, 'file'), '');
  await expect(assess({ manifest, destination: join(root, 'file'), from: 0, limit: 5, signal }, () => {})).rejects.toMatchObject({ code: 'io_error' });
  await expect(assess({ manifest, destination, from: 0, limit: 5, signal: AbortSignal.abort(new Error('stop')) }, () => {})).rejects.toThrow('stop');
  await manifest.close();
});

test('twins are found across pages of an answer', async () => {
  const root = await temporaryDirectory();
  for (const name of ['source', 'state', 'destination']) mkdirSync(join(root, name));
  await makeTree(join(root, 'source'), { d: { type: 'directory' }, 'd/NAME': { type: 'file', content: content(1) }, 'd/name': { type: 'file', content: content(1) } });
  const offered = await offer(join(root, 'state'), [join(root, 'source/d')]);
  const risks: string[][] = [];
  for await (const entry of assessEntries({ manifest: offered.receiver, destination: join(root, 'destination'), from: 2, limit: 1, signal })) risks.push([...entry.risks]);
  expect(risks).toEqual([['case_twin']]);
  expect(offered.receiver.chunkSize).toBe(chunkSize);
  await offered.sender.close();
  await offered.receiver.close();
});
