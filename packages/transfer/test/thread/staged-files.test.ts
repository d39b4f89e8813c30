import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestEntry } from '@peerd/protocol';
import { afterEach, expect, test } from 'vitest';
import { packEntries } from '../../src/thread/entry-batch.ts';
import { StagedFiles } from '../../src/thread/staged-files.ts';
import { temporaryDirectory } from '../support/directory.ts';

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
