import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from './support/directory.ts';
import { bytes, describeTree, makeTree, name, type Tree } from './support/trees.ts';
import { chunkSize, transfer } from './support/transfer.ts';

const content = (length: number, seed = 1): Buffer => {
  const buffer = Buffer.alloc(length);
  for (let at = 0, value = seed * 2_654_435_761; at < length; at += 1) buffer[at] = (value = (value * 1_103_515_245 + 12_345) % 2_147_483_648) >>> 16;
  return buffer;
};

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
  'tree/old': { type: 'file', content: Buffer.from('before 1970'), mtime: 0.000001 },
};

describe('from scan to placed', () => {
  test.each(['none', 'transfer'] as const)('a tree with odd names arrives identical, durability %s', async (durability) => {
    const root = await temporaryDirectory();
    const [source, destination, state] = await Promise.all(['source', 'destination', 'state'].map(async (part) => (await mkdir(join(root, part)), join(root, part))));
    await makeTree(source ?? '', oddTree);
    const { result, sent, counters, offered } = await transfer(state ?? '', [`${source}/tree/`], destination ?? '', { durability, split: [1, 70_000, 3, 900] });
    expect(await describeTree(destination ?? '')).toEqual(await describeTree(source ?? ''));
    expect(sent.failures.size).toBe(0);
    expect(result).toEqual({ savedAs: [{ entry: 0, name: bytes('tree') }], delivered: Object.keys(oddTree).length, failed: 0 });
    expect(counters).toEqual({ received: offered.scan.chunks, reused: 0, rewritten: 0 });
    expect(await readdir(destination ?? '')).toEqual(['tree']);
  });
});
