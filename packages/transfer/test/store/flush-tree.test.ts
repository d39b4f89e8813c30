import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flushTree } from '../../src/store/flush-tree.ts';
import { temporaryDirectory } from '../support/directory.ts';

const never = new AbortController().signal;
const openNow = (): number => readdirSync('/proc/self/fd').length;

test.each([3, 1_000])('a tree of whatever names and kinds, and nothing is left open: %i entries', async (entries) => {
  const root = await temporaryDirectory();
  mkdirSync(join(root, 'a/b'), { recursive: true });
  for (let index = 0; index < 100; index += 1) writeFileSync(join(root, `a/${index}`), 'x');
  writeFileSync(Buffer.concat([Buffer.from(root), Buffer.from([0x2f, 0xff])]), 'no text');
  symlinkSync('/nowhere', join(root, 'a/link'));
  execFileSync('mkfifo', [join(root, 'a/b/pipe')]);
  chmodSync(join(root, 'a/1'), 0o400);
  const before = openNow();
  await flushTree(Buffer.from(root), entries, never);
  expect(openNow()).toBe(before);
});

test('what cannot be flushed is an error, and nothing is left open', async () => {
  const root = await temporaryDirectory();
  writeFileSync(join(root, 'file'), 'x');
  const before = openNow();
  await expect(flushTree(Buffer.from(join(root, 'file')), 1, never)).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(flushTree(Buffer.from(root), 1, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  expect(openNow()).toBe(before);
});
