import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeTree } from '../../src/thread/remove-tree.ts';
import { temporaryDirectory } from '../support/directory.ts';

test('in steps, directories that forbid it too, and what links lead to stays', async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, 'kept'));
  await writeFile(join(root, 'kept', 'file'), '');
  await mkdir(join(root, 'tree', 'shut'), { recursive: true });
  for (const name of ['a', 'b', 'shut/c']) await writeFile(join(root, 'tree', name), '');
  await symlink('../kept', join(root, 'tree', 'link'));
  await chmod(join(root, 'tree', 'shut'), 0);
  const path = Buffer.from(join(root, 'tree'));
  // Six entries, two at a time.
  const steps = [removeTree(path, 2), removeTree(path, 2), removeTree(path, 2)];
  expect(steps).toEqual([false, false, true]);
  expect([await readdir(root), await readdir(join(root, 'kept'))]).toEqual([['kept'], ['file']]);
});

test('what is gone already is removed; a link or a file that stands there is removed itself; other errors are told', async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, 'kept'));
  await symlink('kept', join(root, 'link'));
  await writeFile(join(root, 'file'), '');
  expect(removeTree(Buffer.from(join(root, 'file')), 0)).toBe(false);
  for (const name of ['none', 'link', 'file']) expect(removeTree(Buffer.from(join(root, name)), 1)).toBe(true);
  expect(await readdir(root)).toEqual(['kept']);
  await writeFile(join(root, 'file'), '');
  expect(() => removeTree(Buffer.from(join(root, 'file', 'below')), 1)).toThrow('ENOTDIR');
});
