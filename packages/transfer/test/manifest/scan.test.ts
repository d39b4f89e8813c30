import { spawnSync } from 'node:child_process';
import { chmod, link, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Manifest, type ScanOptions, type ScanResult, scanSources } from '../../src/index.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { bytes, makeDeep, makeTree } from '../support/trees.ts';

const chunkSize = 64 * 1024;

const scan = async (root: string, paths: readonly (string | Buffer)[], signal = new AbortController().signal, more: Pick<ScanOptions, 'name' | 'filter'> = {}): Promise<ScanResult & { paths: string[] }> => {
  const manifestPath = join(root, 'manifest');
  const result = await scanSources({ paths: paths.map((path) => Buffer.from(path)), manifestPath, chunkSize, signal, ...more });
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

  describe('filters', () => {
    const tree = async (): Promise<string> => {
      const root = await temporaryDirectory();
      const file = { type: 'file', content: Buffer.alloc(1) } as const;
      const directory = { type: 'directory' } as const;
      await makeTree(root, {
        p: directory, 'p/.git': directory, 'p/.git/HEAD': file, 'p/a.jpg': file, 'p/a.txt': file, 'p/build': file, 'p/empty': directory, 'p/src': directory, 'p/src/b.jpg': file,
        'p/src/build': directory, 'p/src/build/c.jpg': file, 'p/src/deep': directory, 'p/src/deep/d.txt': file, 'p/src/link.jpg': { type: 'symlink', target: 'b.jpg' }, 'p/\xff.jpg': file,
      });
      return root;
    };
    const all = ['p', 'p/.git', 'p/.git/HEAD', 'p/a.jpg', 'p/a.txt', 'p/build', 'p/empty', 'p/src', 'p/src/b.jpg', 'p/src/build', 'p/src/build/c.jpg', 'p/src/deep', 'p/src/deep/d.txt', 'p/src/link.jpg', 'p/\xff.jpg'];
    const without = (...gone: string[]): string[] => all.filter((path) => !gone.some((other) => path === other || path.startsWith(`${other}/`)));

    test.each<[string, { exclude?: string[]; include?: string[] }, string[], number]>([
      ['a name, anywhere', { exclude: ['build'] }, without('p/build', 'p/src/build'), 2],
      ['only directories', { exclude: ['build/'] }, without('p/src/build'), 1],
      ['a path below the given one', { exclude: ['src/build'] }, without('p/src/build'), 1],
      ['a path from there on', { exclude: ['/build'] }, without('p/build'), 1],
      ['a star does not cross a slash', { exclude: ['src/*.jpg'] }, without('p/src/b.jpg', 'p/src/link.jpg'), 2],
      ['two do', { exclude: ['src/**/*.jpg'] }, without('p/src/b.jpg', 'p/src/build/c.jpg', 'p/src/link.jpg'), 3],
      ['dots, braces, classes', { exclude: ['.*', '{a,d}.txt', '[b]*.jpg'] }, without('p/.git', 'p/a.txt', 'p/src/deep/d.txt', 'p/src/b.jpg'), 4],
      ['names that are not UTF-8', { exclude: ['?.jpg'] }, without('p/a.jpg', 'p/src/b.jpg', 'p/src/build/c.jpg', 'p/\xff.jpg'), 4],
      ['an exclamation mark is one', { exclude: ['!a.jpg'] }, all, 0],
      ['only what fits, and the way to it', { include: ['*.txt'] }, ['p', 'p/a.txt', 'p/src', 'p/src/deep', 'p/src/deep/d.txt'], 7],
      ['all in a directory that fits', { include: ['src/'] }, all.filter((path) => path === 'p' || path.startsWith('p/src')), 5],
      ['so an empty one stays', { include: ['empty'] }, ['p', 'p/empty'], 9],
      ['the given path itself', { include: ['p'] }, all, 0],
      ['exclude wins', { include: ['*.jpg'], exclude: ['build', 'src/b.*'] }, ['p', 'p/a.jpg', 'p/src', 'p/src/link.jpg', 'p/\xff.jpg'], 6],
    ])('%s', async (_what, { exclude = [], include = [] }, expected, leftOut) => {
      const root = await tree();
      const result = await scan(root, [`${root}/p`], undefined, { filter: { exclude, include } });
      expect({ paths: result.paths, leftOut: result.leftOut, skipped: result.skipped }).toEqual({ paths: expected, leftOut, skipped: [] });
    });

    test('paths that are given themselves are filtered by their names, not by the name under which they are sent', async () => {
      const root = await tree();
      const filter = { exclude: ['*.txt'], include: [] };
      expect((await scan(root, [`${root}/p/a.txt`, `${root}/p/a.jpg`], undefined, { filter })).paths).toEqual(['a.jpg']);
      expect((await scan(root, [`${root}/p/a.jpg`], undefined, { filter, name: Buffer.from('b.txt') })).paths).toEqual(['b.txt']);
    });

    test('nothing is left: an error that says why', async () => {
      const root = await tree();
      await expect(scan(root, [`${root}/p`], undefined, { filter: { exclude: ['p'], include: [] } })).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('patterns leave out everything') as string });
      await expect(scan(root, [`${root}/p`], undefined, { filter: { exclude: [], include: ['*.mp4'] } })).rejects.toMatchObject({ code: 'invalid_argument' });
    });
  });

  describe('a name of its own', () => {
    test('is that of the top-level entry, whatever the path is called', async () => {
      const root = await temporaryDirectory();
      await makeTree(root, { d: { type: 'directory' }, 'd/file': { type: 'file', content: Buffer.alloc(1) } });
      const result = await scan(root, [`${root}/d`], undefined, { name: Buffer.from('other \xff', 'latin1') });
      expect(result.paths).toEqual(['other \xff', 'other \xff/file']);
      expect(result.roots).toEqual([{ name: Buffer.from('other \xff', 'latin1'), source: bytes(`${root}/d`) }]);
    });

    test.each(['', '.', '..', 'a/b', 'a\0b', 'x'.repeat(256)])('%j is refused', async (name) => {
      const root = await temporaryDirectory();
      await expect(scan(root, [root], undefined, { name: Buffer.from(name) })).rejects.toMatchObject({ code: 'invalid_argument' });
    });

    test('is for one path only', async () => {
      const root = await temporaryDirectory();
      await expect(scan(root, [root, root], undefined, { name: Buffer.from('x') })).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('one name for 2 paths') as string });
    });
  });
});
