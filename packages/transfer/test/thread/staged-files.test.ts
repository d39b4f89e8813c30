import { once } from 'node:events';
import { closeSync, existsSync, fstatSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ManifestEntry } from '@peerd/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { hash } from '../../src/hashing.ts';
import { EntryBatch, packEntries } from '../../src/thread/entry-batch.ts';
import { alreadyDressed, failedEntry, StagedFiles } from '../../src/thread/staged-files.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { makeFifo } from '../support/trees.ts';

const umask = process.umask();
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  process.umask(umask);
  for (const one of opened.splice(0)) await one.close();
});

const staging = async (...directories: string[]): Promise<{ root: string; files: StagedFiles }> => {
  const root = await temporaryDirectory();
  for (const directory of directories) await mkdir(join(root, directory));
  const handle: FileHandle = await open(root, 'r');
  const files = new StagedFiles(handle.fd);
  opened.push(files, handle);
  return { root, files };
};

const listening = async (path: string): Promise<void> => {
  const server = createServer().listen(path);
  opened.push(server);
  await once(server, 'listening');
};

const file = (path: string, mode: number): ManifestEntry => ({ path: path.split('/').map((part) => Buffer.from(part)), type: 'file', size: 1, mode, mtime: [1_000_000_000, 0] });
const write = (files: StagedFiles, entries: readonly ManifestEntry[]): void => files.writeFiles(packEntries(entries), Buffer.alloc(entries.length, 0x78));
const modeOf = async (root: string, path: string): Promise<number> => (await lstat(join(root, path))).mode & 0o7777;

test.each([0, 0o022, 0o077])('small files have their modes, whatever the umask takes (%o)', async (mask) => {
  const { root, files } = await staging('a', 'b');
  process.umask(mask);
  const modes = [0o600, 0o644, 0o666, 0o666, 0o777, 0o600, 0o444, 0o200, 0o644];
  const entries = ['a', 'b'].flatMap((directory) => modes.map((mode, index) => file(`${directory}/${index}`, mode)));
  write(files, entries);
  // One that its owner can't read stays private until the end.
  const expected = modes.map((mode) => (mode === 0o200 ? 0o600 : mode));
  for (const directory of ['a', 'b']) expect(await Promise.all(modes.map((_, index) => modeOf(root, `${directory}/${index}`)))).toEqual(expected);
});

test('what one directory leaves of a mode is not taken for what the next one leaves', async () => {
  const { root, files } = await staging('a', 'b');
  process.umask(0);
  write(files, [file('a/1', 0o666)]);
  // As a default access control list of `b` would.
  process.umask(0o077);
  write(files, [file('b/1', 0o666), file('b/2', 0o666)]);
  expect([await modeOf(root, 'a/1'), await modeOf(root, 'b/1'), await modeOf(root, 'b/2')]).toEqual([0o666, 0o666, 0o666]);
});

describe('what an earlier run, or somebody else, left in the way', () => {
  test('a link is replaced, and what it leads to stays as it is', async () => {
    const { root, files } = await staging('a');
    await writeFile(join(root, 'victim'), 'mine');
    for (const name of ['small', 'large']) await symlink('../victim', join(root, 'a', name));
    write(files, [file('a/small', 0o644)]);
    closeSync(files.openForWrite(packEntries([file('a/large', 0o644)])).fd);
    for (const name of ['small', 'large']) expect((await lstat(join(root, 'a', name))).isFile()).toBe(true);
    expect(await readFile(join(root, 'victim'), 'utf8')).toBe('mine');
  });

  test('a socket is replaced by the file that is written by chunks', async () => {
    const { root, files } = await staging('a');
    await listening(join(root, 'a', 'x'));
    closeSync(files.openForWrite(packEntries([file('a/x', 0o644)])).fd);
    expect((await lstat(join(root, 'a', 'x'))).isFile()).toBe(true);
  });

  test('nothing but a file is read', async () => {
    const { root, files } = await staging('a', 'a/directory');
    await writeFile(join(root, 'a', 'file'), 'x');
    await symlink('file', join(root, 'a', 'link'));
    makeFifo(join(root, 'a', 'fifo'));
    await listening(join(root, 'a', 'socket'));
    for (const name of ['directory', 'link', 'fifo', 'socket', 'none', 'file/below']) expect(files.openForRead(packEntries([file(`a/${name}`, 0o644)]))).toBeUndefined();
    const read = files.openForRead(packEntries([file('a/file', 0o644)]));
    expect(read?.size).toBe(1);
    closeSync(read?.fd ?? -1);
  });
});

test('a file that is written by chunks has its size at once, and says what it had before', async () => {
  const { root, files } = await staging('a');
  await writeFile(join(root, 'a', 'longer'), 'xyz');
  const sizes = ['new', 'longer'].map((name) => {
    const { fd, extendedFrom } = files.openForWrite(packEntries([file(`a/${name}`, 0o644)]));
    const { size } = fstatSync(fd);
    closeSync(fd);
    return { extendedFrom, size };
  });
  expect(sizes).toEqual([{ extendedFrom: 0, size: 1 }, { extendedFrom: 3, size: 3 }]);
});

test('a file has the hash of its content, zeros when it is missing, longer or shorter', async () => {
  const { root, files } = await staging('a');
  for (const [name, content] of [['same', 'x'], ['longer', 'xy'], ['shorter', '']] as const) await writeFile(join(root, 'a', name), content);
  const hashes = Buffer.from(files.hashFiles(packEntries(['same', 'longer', 'shorter', 'none'].map((name) => file(`a/${name}`, 0o644)))));
  expect(hashes).toEqual(Buffer.concat([hash(Buffer.from('x')), Buffer.alloc(96)]));
});

describe('the last step', () => {
  const finish = (files: StagedFiles, entries: readonly (ManifestEntry & { flag?: number })[], keepOpen = false): ReturnType<StagedFiles['finish']> => {
    const batch = new EntryBatch();
    for (const { flag, ...entry } of entries) batch.add(entry, 0n, flag);
    return files.finish(batch.take(), keepOpen);
  };

  test('removes what failed, also what is not there; makes what is empty; cuts what is too long', async () => {
    const { root, files } = await staging('a');
    for (const name of ['failed', 'long']) await writeFile(join(root, 'a', name), 'too long');
    const entries = [{ ...file('a/failed', 0o644), flag: failedEntry }, { ...file('a/none', 0o644), flag: failedEntry }, { ...file('a/empty', 0o640), size: 0 }, file('a/long', 0o600)];
    expect(finish(files, entries)).toEqual({ open: [], failed: new Map() });
    for (const name of ['failed', 'none']) expect(existsSync(join(root, 'a', name))).toBe(false);
    expect([await modeOf(root, 'a/empty'), await modeOf(root, 'a/long'), await readFile(join(root, 'a', 'long'), 'utf8')]).toEqual([0o640, 0o600, 't']);
    expect((await lstat(join(root, 'a', 'empty'))).mtimeMs).toBe(1_000_000_000_000);
  });

  test('leaves alone what was finished when it was written, and keeps open what is to be flushed', async () => {
    const { root, files } = await staging('a');
    await writeFile(join(root, 'a', 'done'), 'as it is', { mode: 0o600 });
    const done = [{ ...file('a/done', 0o644), flag: alreadyDressed }];
    expect(finish(files, done).open).toEqual([]);
    const { open: kept } = finish(files, done, true);
    expect(kept.map((fd) => fstatSync(fd).size)).toEqual([8]);
    for (const fd of kept) closeSync(fd);
    expect(await modeOf(root, 'a/done')).toBe(0o600);
  });

  test('a file that is gone, or was swapped for a link, fails without opening anything', async () => {
    const { root, files } = await staging('a');
    await writeFile(join(root, 'victim'), 'mine', { mode: 0o600 });
    await symlink('../victim', join(root, 'a', 'swapped'));
    expect(finish(files, [file('a/gone', 0o777), file('a/swapped', 0o777)], true)).toEqual({ open: [], failed: new Map([[0, 'ENOENT'], [1, 'ELOOP']]) });
    expect([await modeOf(root, 'victim'), await readFile(join(root, 'victim'), 'utf8')]).toEqual([0o600, 'mine']);
  });
});
