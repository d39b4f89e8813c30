import { spawnSync } from 'node:child_process';
import { chmod, link, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Manifest, type ScanResult, scanSources } from '../../src/index.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { bytes, makeDeep, makeTree } from '../support/trees.ts';

const chunkSize = 64 * 1024;

const scan = async (root: string, paths: readonly (string | Buffer)[], signal = new AbortController().signal): Promise<ScanResult & { paths: string[] }> => {
  const manifestPath = join(root, 'manifest');
  const result = await scanSources({ paths: paths.map((path) => Buffer.from(path)), manifestPath, chunkSize, signal });
  const manifest = await Manifest.open(manifestPath, chunkSize);
  const found: string[] = [];
  for await (const { entry } of manifest.entries()) found.push(entry.path.map((part) => Buffer.from(part).toString('latin1')).join('/'));
  await manifest.close();
  expect(result.offerRoot).toEqual(manifest.summary.offerRoot);
  return { ...result, paths: found };
};

const failure = (root: string, paths: readonly string[]): Promise<unknown> => scan(root, paths).then(() => undefined, (error: unknown) => error);

describe('scanSources', () => {
  test('is depth first and sorted by bytes, whatever the order of the sources', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'z'));
    await makeTree(root, { d: { type: 'directory' }, 'd/\xff': { type: 'file', content: Buffer.from('12') }, 'd/B': { type: 'file', content: Buffer.alloc(0) }, 'd/a': { type: 'directory' }, 'd/a/x': { type: 'symlink', target: '../B' }, 'd/a!': { type: 'file', content: Buffer.from('123') }, c: { type: 'file', content: Buffer.alloc(chunkSize + 1) } });
    const result = await scan(root, [`${root}/z`, `${root}/d`, `${root}/c`]);
    expect(result.paths).toEqual(['c', 'd', 'd/B', 'd/a', 'd/a/x', 'd/a!', 'd/\xff', 'z']);
    expect(result).toMatchObject({ entries: 8, bytes: chunkSize + 6, chunks: 4, pages: 1, skipped: [], skippedTotal: 0 });
    expect(result.roots).toEqual(['z', 'd', 'c'].map((name) => ({ name: bytes(name), source: bytes(`${root}/${name}`) })));
  });

  test.each(['dir/', 'dir//', 'dir/.', 'dir/./', './dir'])('%s takes the base name', async (given) => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'dir'));
    expect((await scan(root, [`${root}/${given}`])).paths).toEqual(['dir']);
  });

  test('a link to a directory is a link; with a slash behind it is the directory under its name', async () => {
    const root = await temporaryDirectory();
    await makeTree(root, { dir: { type: 'directory' }, 'dir/file': { type: 'file', content: Buffer.alloc(1) }, alias: { type: 'symlink', target: 'dir' } });
    expect((await scan(root, [`${root}/alias`])).paths).toEqual(['alias']);
    const behind = await scan(root, [`${root}/alias/`]);
    expect(behind.paths).toEqual(['alias', 'alias/file']);
    expect(behind.roots[0]?.source.toString()).toBe(join(await realpath(root), 'dir'));
  });

  test('sockets, FIFOs and escaping links are left out and reported; nothing blocks', async () => {
    const root = await temporaryDirectory();
    await makeTree(root, { d: { type: 'directory' }, 'd/file': { type: 'file', content: Buffer.alloc(1) }, 'd/out': { type: 'symlink', target: '../x' }, 'd/absolute': { type: 'symlink', target: '/etc' }, 'd/in': { type: 'symlink', target: 'file' } });
    expect(spawnSync('mkfifo', [join(root, 'd', 'fifo')]).status).toBe(0);
    const server = createServer().listen(join(root, 'd', 'socket'));
    try {
      const result = await scan(root, [`${root}/d`]);
      expect(result.paths).toEqual(['d', 'd/file', 'd/in']);
      expect(result.skippedTotal).toBe(4);
      expect(result.skipped.map(({ path, code }) => [path.toString(), code]).sort((one, other) => String(one).localeCompare(String(other)))).toEqual([
        [`${root}/d/absolute`, 'link_escapes'],
        [`${root}/d/fifo`, 'special_file'],
        [`${root}/d/out`, 'link_escapes'],
        [`${root}/d/socket`, 'special_file'],
      ]);
      expect(await failure(root, [`${root}/d/fifo`])).toMatchObject({ code: 'special_file' });
      expect(await failure(root, [`${root}/d/out`])).toMatchObject({ code: 'link_escapes' });
      expect((await scan(root, [`${root}/d/fifo`, `${root}/d/file`])).paths).toEqual(['file']);
    } finally {
      server.close();
    }
  });

  test('at most 100 left out paths are listed, all are counted', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'd'));
    for (let index = 0; index < 130; index += 1) await symlink('/x', join(root, 'd', `l${index}`));
    const result = await scan(root, [`${root}/d`]);
    expect(result.skipped.length).toBe(100);
    expect(result.skippedTotal).toBe(130);
  });

  test('hard links are just files', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'd'));
    await writeFile(join(root, 'd', 'a'), 'x');
    await link(join(root, 'd', 'a'), join(root, 'd', 'b'));
    expect(await scan(root, [`${root}/d`])).toMatchObject({ paths: ['d', 'd/a', 'd/b'], bytes: 2 });
  });

  test('a directory nested deeper than a system call can name is walked', async () => {
    const root = await temporaryDirectory();
    const depth = 30;
    makeDeep(root, 'n'.repeat(200), depth);
    const result = await scan(root, [`${root}/${'n'.repeat(200)}`]);
    expect(result.entries).toBe(depth + 1);
    expect(result.skippedTotal).toBe(0);
  });

  test.runIf(process.getuid?.() !== 0)('what may not be read is left out and reported; a source itself is an error', async () => {
    const root = await temporaryDirectory();
    await makeTree(root, { d: { type: 'directory' }, 'd/file': { type: 'file', content: Buffer.alloc(1), mode: 0 }, 'd/dir': { type: 'directory', mode: 0 } });
    const result = await scan(root, [`${root}/d`]);
    expect(result.paths).toEqual(['d']);
    expect(result.skipped.map(({ code }) => code)).toEqual(['source_unreadable', 'source_unreadable']);
    expect(await failure(root, [`${root}/d/file`])).toMatchObject({ code: 'source_unreadable', message: expect.stringContaining(`${root}/d/file`) as unknown });
    await chmod(join(root, 'd', 'dir'), 0o700);
  });

  test('errors name the path', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'a', 'same'), { recursive: true });
    await mkdir(join(root, 'same'));
    await writeFile(join(root, 'file'), '');
    expect(await failure(root, [`${root}/same`, `${root}/none\u202e`])).toMatchObject({ code: 'source_missing', message: expect.stringContaining('none\\u{202e}') as unknown });
    expect(await failure(root, [`${root}/file/`])).toMatchObject({ code: 'source_missing' });
    expect(await failure(root, [`${root}/file/below`])).toMatchObject({ code: 'source_missing' });
    expect(await failure(root, [`${root}/same`, `${root}/a/same`])).toMatchObject({ code: 'duplicate_name', message: expect.stringContaining('"same"') as unknown });
    expect(await failure(root, ['/'])).toMatchObject({ code: 'invalid_argument' });
    expect((await readdir(root)).sort()).toEqual(['a', 'file', 'same']);
  });

  test('an abort leaves no manifest', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'd'));
    const reason = new Error('stop');
    await expect(scan(root, [`${root}/d`], AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const scanning = scan(root, ['/usr'], controller.signal);
    setImmediate(() => controller.abort(reason));
    await expect(scanning).rejects.toBe(reason);
    expect(await readdir(root)).toEqual(['d']);
  });
});
