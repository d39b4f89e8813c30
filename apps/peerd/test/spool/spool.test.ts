import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createLogger, newUlid } from '@peerd/service';
import { pack } from 'tar-stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Spool } from '../../src/spool/spool.ts';

const never = new AbortController().signal;
const KiB = 1024;

const place = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-spool-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

const open = async (stateDir: string, limit = 64 * KiB, reserve = 0): Promise<Spool> => {
  const spool = await Spool.open({ stateDir, limit, reserve, logger: createLogger('test', 'silent'), now: Date.now });
  onTestFinished(() => spool.close());
  return spool;
};

const bytesOf = (...parts: (string | Buffer)[]): Readable => Readable.from(parts.map((part) => Buffer.from(part)));
const file = (spool: Spool, content: Readable, signal = never) => spool.file(content, { name: Buffer.from('x'), mode: 0o640, signal });
const holder = (id: string, source: Buffer) => ({ id, roots: [{ name: Buffer.from('x'), source }] });
const left = (stateDir: string): Promise<string[]> => readdir(join(stateDir, 'spool'));

const archive = (...entries: (Parameters<ReturnType<typeof pack>['entry']>[0] & { content?: string })[]): Readable => {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(header, content ?? '');
  tar.finalize();
  return Readable.from(tar);
};

describe('spool', () => {
  test('a file is there under its name until nobody holds it', async () => {
    const stateDir = await place();
    const spool = await open(stateDir);
    const { id, entries, bytes } = await file(spool, bytesOf('hello ', 'world'));
    expect({ entries, bytes, used: spool.used }).toEqual({ entries: 1, bytes: 11, used: 11 });
    const [source = Buffer.alloc(0)] = await spool.sources([id]);
    expect(await readFile(source, 'utf8')).toBe('hello world');
    expect((await stat(source)).mode & 0o777).toBe(0o640);
    spool.hold(holder('one', source));
    spool.hold(holder('two', source));
    expect(await spool.discard(id)).toBe(false);
    spool.release({ id: 'one' });
    spool.release({ id: 'one' });
    expect(await left(stateDir)).toEqual([id]);
    spool.release({ id: 'two' });
    await vi.waitFor(async () => expect([await left(stateDir), spool.used]).toEqual([[], 0]), { timeout: 20_000 });
    await expect(spool.sources([id])).rejects.toMatchObject({ code: 'not_found' });
  });

  test('an upload that ends early leaves nothing, neither on disk nor in the quota', async () => {
    const stateDir = await place();
    const spool = await open(stateDir);
    const broken = new Readable({ read: () => {} });
    broken.push(Buffer.alloc(1000));
    const uploading = file(spool, broken);
    await vi.waitFor(() => expect(spool.used).toBe(1000), { timeout: 20_000 });
    broken.destroy(new Error('the client went away'));
    await expect(uploading).rejects.toThrow('the client went away');
    expect({ left: await left(stateDir), used: spool.used }).toEqual({ left: [], used: 0 });
    const stop = new AbortController();
    const endless = Readable.from((function* zeros() {
      for (;;) {
        stop.abort(new Error('stopping'));
        yield Buffer.alloc(1);
      }
    })());
    await expect(file(spool, endless, stop.signal)).rejects.toThrow('stopping');
    expect(await left(stateDir)).toEqual([]);
  });

  test('the quota counts everything that is there, and says so with numbers', async () => {
    const stateDir = await place();
    const spool = await open(stateDir, 3 * KiB);
    await file(spool, bytesOf(Buffer.alloc(2 * KiB)));
    await expect(file(spool, bytesOf(Buffer.alloc(KiB), Buffer.alloc(1)))).rejects.toMatchObject({ code: 'spool_full', details: { limit: 3 * KiB, used: 3 * KiB }, exitCode: 7 });
    expect({ left: (await left(stateDir)).length, used: spool.used }).toEqual({ left: 1, used: 2 * KiB });
    await file(spool, bytesOf(Buffer.alloc(KiB)));
  });

  test('no more than 16 uploads at once', async () => {
    const spool = await open(await place());
    const stop = new AbortController();
    const bodies = Array.from({ length: 16 }, () => new Readable({ read: () => {} }));
    const uploads = bodies.map((body) => file(spool, body, stop.signal));
    await expect(file(spool, bytesOf('x'))).rejects.toMatchObject({ code: 'rate_limited' });
    bodies[0]?.push(null);
    await uploads.shift();
    await file(spool, bytesOf('x'));
    for (const body of bodies.slice(1)) body.destroy(new Error('over'));
    await Promise.all(uploads.map((upload) => expect(upload).rejects.toThrow('over')));
  });

  test('some space of the file system is left to others', async () => {
    const spool = await open(await place(), KiB, Number.MAX_SAFE_INTEGER - KiB);
    await expect(file(spool, bytesOf('x'))).rejects.toMatchObject({ code: 'spool_full', message: expect.stringContaining('bytes free') as string });
    expect(spool.used).toBe(0);
  });

  test('after a restart: what a transfer holds stays and counts, the rest and half uploads go', async () => {
    const stateDir = await place();
    const before = await open(stateDir);
    const [kept, forgotten] = [await file(before, bytesOf('kept')), await file(before, bytesOf('forgotten'))];
    const [source = Buffer.alloc(0)] = await before.sources([kept.id]);
    await mkdir(join(stateDir, 'spool', `${newUlid(0)}.part`, 'deep'), { recursive: true });
    await chmod(join(stateDir, 'spool', (await left(stateDir)).find((name) => name.endsWith('.part')) ?? '', 'deep'), 0o500);
    await writeFile(join(stateDir, 'spool', 'stray'), 'x');
    const spool = await open(stateDir);
    spool.hold(holder('one', source));
    await spool.sweep();
    expect({ left: await left(stateDir), used: spool.used, forgotten: await spool.discard(forgotten.id) }).toEqual({ left: [kept.id], used: 4, forgotten: false });
  });

  test.each(['', '.', '..', 'a/b', 'a\0'])('the name %j is refused', async (name) => {
    const stateDir = await place();
    const spool = await open(stateDir);
    await expect((async () => spool.file(bytesOf('x'), { name: Buffer.from(name), mode: 0o644, signal: never }))()).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await left(stateDir)).toEqual([]);
  });
});

describe('a tree', () => {
  test('bytes, modes, times and links arrive; a directory may be read-only', async () => {
    const stateDir = await place();
    const spool = await open(stateDir);
    const mtime = '981173106.123456789';
    const { id, entries, bytes } = await spool.tree(
      archive(
        { name: 'd\u{ff}', type: 'directory', mode: 0o555, pax: { mtime } }, { name: 'd\u{ff}/a', mode: 0o604, content: '123', pax: { mtime } }, { name: 'd\u{ff}/b', type: 'directory', mode: 0o700 },
        { name: 'd\u{ff}/b/c', content: '' }, { name: 'd\u{ff}/l', type: 'symlink', linkname: '\u{fe}', pax: { mtime } },
      ),
      { signal: never },
    );
    expect({ entries, bytes }).toEqual({ entries: 5, bytes: 3 });
    const [source = Buffer.alloc(0)] = await spool.sources([id]);
    expect(source.subarray(-2)).toEqual(Buffer.from([0x64, 0xff]));
    const [directory, one] = await Promise.all([stat(source), stat(Buffer.concat([source, Buffer.from('/a')]), { bigint: true })]);
    expect([directory.mode & 0o777, Number(one.mode & 0o777n), one.mtimeNs / 1_000n, directory.mtimeMs]).toEqual([0o555, 0o604, 981_173_106_123_456n, 981_173_106_123.4568]);
    expect(await readdir(source)).toEqual(['a', 'b', 'l']);
    expect(await spool.discard(id)).toBe(true);
    expect(await left(stateDir)).toEqual([]);
  });

  test.each<[string, Readable | (() => Readable)]>([
    ['a path that leaves it', () => archive({ name: '../x', content: 'x' })],
    ['an absolute path', () => archive({ name: '/etc/x', content: 'x' })],
    ['an entry in no directory', () => archive({ name: 'd', type: 'directory' }, { name: 'e/x', content: 'x' })],
    ['an entry below a link', () => archive({ name: 'd', type: 'directory' }, { name: 'd/l', type: 'symlink', linkname: '/tmp' }, { name: 'd/l/x', content: 'x' })],
    ['a second top-level entry', () => archive({ name: 'a', content: '' }, { name: 'b', content: '' })],
    ['a hard link', () => archive({ name: 'd', type: 'directory' }, { name: 'd/l', type: 'link', linkname: '/etc/passwd' })],
    ['a name that is not bytes', () => archive({ name: '\u{1f600}', content: '' })],
    ['a file twice', () => archive({ name: 'd', type: 'directory' }, { name: 'd/a', content: 'x' }, { name: 'd/a', content: 'y' })],
    ['nothing', () => archive()],
  ])('%s is refused, and nothing is left', async (_what, make) => {
    const stateDir = await place();
    const spool = await open(stateDir);
    await expect(spool.tree(typeof make === 'function' ? make() : make, { signal: never })).rejects.toMatchObject({ code: 'invalid_argument' });
    expect({ left: await left(stateDir), used: spool.used }).toEqual({ left: [], used: 0 });
  });

  test('a size that is no number is refused, and not waited for', async () => {
    const spool = await open(await place());
    const whole = Buffer.concat(await archive({ name: 'd', type: 'directory' }, { name: 'd/a', content: 'x' }).toArray() as Buffer[]);
    // The first byte of the size of the second entry, with the sum of the header as it is then.
    whole[512 + 124] = 0xc0;
    whole.fill(0x20, 512 + 148, 512 + 156);
    const sum = whole.subarray(512, 1_024).reduce((total, byte) => total + byte, 0);
    whole.write(`${sum.toString(8).padStart(6, '0')}\0 `, 512 + 148, 'latin1');
    await expect(spool.tree(bytesOf(whole), { signal: never })).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('impossible size') });
  });

  test('an archive that is cut off, or is none, leaves nothing', async () => {
    const stateDir = await place();
    const spool = await open(stateDir);
    const whole = Buffer.concat(await archive({ name: 'd', type: 'directory' }, { name: 'd/a', content: 'x'.repeat(3000) }).toArray() as Buffer[]);
    await expect(spool.tree(bytesOf(whole.subarray(0, 2000)), { signal: never })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(spool.tree(bytesOf('x'.repeat(2048)), { signal: never })).rejects.toMatchObject({ code: 'invalid_argument' });
    expect({ left: await left(stateDir), used: spool.used }).toEqual({ left: [], used: 0 });
  });
});
