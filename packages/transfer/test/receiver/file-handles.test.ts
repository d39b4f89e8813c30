import { openSync, writeSync } from 'node:fs';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileHandles } from '../../src/receiver/file-handles.ts';
import { temporaryDirectory } from '../support/directory.ts';

const openDescriptors = async (directory: string): Promise<number> => {
  const links = await Promise.all((await readdir('/proc/self/fd')).map(async (fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.filter((link) => link.startsWith(directory)).length;
};

test('each file is opened once while it is used, at most 64 stay open, and none afterwards', async () => {
  const directory = await temporaryDirectory();
  const handles = new FileHandles();
  let opened = 0;
  const use = (file: number): Promise<void> =>
    handles.with(
      file,
      async () => {
        opened += 1;
        return { fd: openSync(join(directory, `${file}`), 'a'), extendedFrom: 0 };
      },
      async ({ fd }) => {
        await Promise.resolve();
        writeSync(fd, 'x');
      },
    );
  await Promise.all(Array.from({ length: 300 }, (_, index) => use(index % 100)));
  expect(opened).toBe(100);
  expect(await openDescriptors(directory)).toBe(64);
  await use(0);
  await handles.close();
  expect(await openDescriptors(directory)).toBe(0);
  for (let file = 1; file < 100; file += 1) expect(await readFile(join(directory, `${file}`), 'utf8')).toBe('xxx');
});

test('a file that could not be opened is tried again', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'file'), '');
  const handles = new FileHandles();
  await expect(handles.with(1, () => Promise.reject(new Error('no')), async () => undefined)).rejects.toThrow('no');
  let used = 0;
  await handles.with(
    1,
    async () => ({ fd: openSync(join(directory, 'file'), 'r'), extendedFrom: 0 }),
    async ({ fd }) => {
      used = fd;
    },
  );
  expect(used).toBeGreaterThan(0);
  await handles.close();
  expect(await openDescriptors(directory)).toBe(0);
});
