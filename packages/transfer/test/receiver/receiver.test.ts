import { chmod, lstat, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Chunk, chunkFrameType, encodeChunkHeader, encodePack, type Frame, frameHeaderBytes, MiB, packFrameType } from '@peerd/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fileRootOf, Receiver, StageClock } from '../../src/index.ts';
import { hash } from '../../src/hashing.ts';
import { content } from '../support/content.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { storeManifest } from '../support/manifests.ts';
import { bytes, makeTree } from '../support/trees.ts';
import { chunkSize, flow, offer, type Offered, openReceiver, place } from '../support/transfer.ts';

const never = new AbortController().signal;

const files: Record<string, Buffer> = { large: content(3 * chunkSize + 7, 1), small: content(900, 2), tiny: content(3, 3), whole: content(chunkSize, 4) };
/** Of all chunks, in order. */
const chunks: Chunk[] = Object.values(files)
  .flatMap((data) => Array.from({ length: Math.ceil(data.length / chunkSize) }, (_, at) => data.subarray(at * chunkSize, (at + 1) * chunkSize)))
  .map((data, index) => ({ index, hash: hash(data), content: data }));

const chunkFrame = (chunk: Chunk): Frame => ({ type: chunkFrameType, payload: Buffer.concat([encodeChunkHeader(chunk.index, chunk.hash, chunk.content.length).subarray(frameHeaderBytes), chunk.content]) });
const packFrame = (...packed: Chunk[]): Frame => ({ type: packFrameType, payload: Buffer.concat(encodePack(packed)).subarray(frameHeaderBytes) });
const chunk = (index: number, change: Partial<Chunk> = {}): Chunk => ({ ...(chunks[index] as Chunk), ...change });

interface World {
  readonly root: string;
  readonly state: string;
  readonly destination: string;
  readonly offered: Offered;
}

const world = async (): Promise<World> => {
  const root = await temporaryDirectory();
  const [source, state, destination] = ['source', 'state', 'destination'].map((part) => join(root, part)) as [string, string, string];
  for (const path of [source, state, destination]) await mkdir(path);
  await makeTree(source, Object.fromEntries(Object.entries(files).map(([path, data]) => [path, { type: 'file', content: data }])));
  const offered = await offer(state, Object.keys(files).map((path) => join(source, path)));
  onTestFinished(async () => {
    await offered.sender.close();
    await offered.receiver.close();
  });
  return { root, state, destination, offered };
};

const opened = async ({ state, destination, offered }: World): Promise<Receiver> => {
  const receiver = await openReceiver(state, destination, offered);
  onTestFinished(() => receiver.close());
  return receiver;
};

const verified = async (where: World): Promise<Receiver> => {
  const receiver = await opened(where);
  await receiver.verify(never);
  return receiver;
};

describe('frames', () => {
  test('each is released once: written, dropped, refused, or lost with the disk', async () => {
    const where = await world();
    const receiver = await verified(where);
    const released: number[] = [];
    const outcomes: string[] = [];
    const give = async (frame: Frame): Promise<void> => {
      const index = released.push(0) - 1;
      const release = (): void => void (released[index] = (released[index] ?? 0) + 1);
      outcomes.push(await receiver.frame({ ...frame, release }).then(() => 'taken', (error: { code: string }) => error.code));
    };
    receiver.entryFailed(1, 'source_changed', 'gone');
    // 4 chunks of the large file, then one of each other.
    await give(chunkFrame(chunk(0)));
    await give(packFrame(chunk(4), chunk(5), chunk(6)));
    await give(chunkFrame(chunk(4)));
    await give(chunkFrame(chunk(0)));
    await give(chunkFrame(chunk(1, { hash: Buffer.alloc(32) })));
    await give(chunkFrame(chunk(1, { content: Buffer.alloc(3) })));
    await give({ type: 0x63, payload: Buffer.alloc(3) });
    expect(outcomes).toEqual(['taken', 'taken', 'taken', 'malformed_frame', 'integrity', 'malformed_frame', 'malformed_frame']);
    await receiver.close();
    await give(chunkFrame(chunk(1)));
    expect(outcomes.at(-1)).toBe('wrong_state');
    expect(released).toEqual(released.map(() => 1));
  });

  test('each is released when it can\'t be written', async () => {
    const where = await world();
    const receiver = await verified(where);
    for (const name of await readdir(where.destination)) await rm(join(where.destination, name), { recursive: true });
    let released = 0;
    const give = (frame: Frame): Promise<string> => receiver.frame({ ...frame, release: () => (released += 1) }).then(() => 'taken', (error: { code: string }) => error.code);
    await Promise.all([give(chunkFrame(chunk(0))), give(chunkFrame(chunk(1))), give(packFrame(chunk(4), chunk(5)))]);
    await expect.poll(() => released).toBe(3);
    expect(await give(chunkFrame(chunk(2)))).toBe('io_error');
    expect(released).toBe(4);
  });

  test('any order, packed or not, gives the files', async () => {
    const where = await world();
    const receiver = await verified(where);
    for (const frame of [chunkFrame(chunk(3)), packFrame(chunk(5), chunk(6), chunk(4)), chunkFrame(chunk(0)), chunkFrame(chunk(2)), chunkFrame(chunk(1))]) await receiver.frame(frame);
    const roots = [chunks.slice(0, 4), [chunk(4)], [chunk(5)], [chunk(6)]].map((each) => hash(Buffer.concat(each.map((part) => part.hash))));
    await receiver.complete(hash(Buffer.concat([where.offered.scan.offerRoot, ...roots])));
    for (const [entry, root] of roots.entries()) expect(await receiver.fileRoot(entry)).toEqual(root);
    expect(receiver.bytesDone).toBe(where.offered.scan.bytes);
    expect((await place(receiver)).savedAs.map(({ name }) => name.toString())).toEqual(Object.keys(files));
    for (const [name, data] of Object.entries(files)) expect(await readFile(join(where.destination, name))).toEqual(data);
    // The journal stays, so that roots can be shown later.
    const journalPath = join(where.state, 'receiver.journal');
    for (const [entry, root] of roots.entries()) expect(await fileRootOf({ manifest: where.offered.receiver, journalPath, entry })).toEqual(root);
    expect(await fileRootOf({ manifest: where.offered.receiver, journalPath: join(where.state, 'none'), entry: 0 })).toBeUndefined();
  });

  test('several connections at once', async () => {
    const where = await world();
    const receiver = await verified(where);
    await Promise.all(chunks.map((each) => receiver.frame(chunkFrame(each))));
    await receiver.verify(never);
    expect(receiver.counters).toEqual({ received: 7, reused: 7, rewritten: 0 });
  });

  test.each([
    ['a chunk that was not announced', chunkFrame(chunk(0, { index: 7 })), 'malformed_frame'],
    ['a chunk that is too short', chunkFrame(chunk(0, { content: content(chunkSize - 1) })), 'malformed_frame'],
    ['a last chunk that is too long', chunkFrame(chunk(3, { content: content(8) })), 'malformed_frame'],
    ['another content than the hash says', chunkFrame(chunk(1, { content: content(chunkSize, 9) })), 'integrity'],
    ['another content in a pack', packFrame(chunk(4), chunk(5, { content: content(3, 9) })), 'integrity'],
    ['a piece of a large file in a pack', packFrame(chunk(0)), 'malformed_frame'],
    ['a chunk twice in a pack', packFrame(chunk(5), chunk(5)), 'malformed_frame'],
    ['a chunk without content', { type: chunkFrameType, payload: Buffer.alloc(40) }, 'malformed_frame'],
    ['garbage', { type: packFrameType, payload: Buffer.alloc(50, 7) }, 'malformed_frame'],
    ['another type', { type: 1, payload: Buffer.alloc(0) }, 'unexpected_message'],
  ])('refused: %s; nothing of it is kept', async (_, frame, code) => {
    const where = await world();
    const receiver = await verified(where);
    await expect(receiver.frame(frame)).rejects.toMatchObject({ code });
    await receiver.verify(never);
    expect(receiver.counters).toEqual({ received: 0, reused: 0, rewritten: 0 });
    expect(await readdir(join(where.destination, '.peerd-test', 't'))).toEqual([]);
    for (const each of chunks) await receiver.frame(chunkFrame(each));
  });

  test('refused: a chunk that came before, at once or later', async () => {
    const receiver = await verified(await world());
    const both = await Promise.allSettled([receiver.frame(chunkFrame(chunk(0))), receiver.frame(chunkFrame(chunk(0)))]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await receiver.frame(packFrame(chunk(4)));
    await expect(receiver.frame(chunkFrame(chunk(4)))).rejects.toMatchObject({ code: 'malformed_frame' });
    expect(receiver.counters.rewritten).toBe(0);
  });

  test('a chunk that was there before this flow is written again and counted, once', async () => {
    const where = await world();
    const receiver = await verified(where);
    for (const index of [0, 4]) await receiver.frame(chunkFrame(chunk(index)));
    await receiver.verify(never);
    const changed = content(chunkSize, 77);
    await receiver.frame(chunkFrame(chunk(0, { content: changed, hash: hash(changed) })));
    await receiver.frame(chunkFrame(chunk(4)));
    await expect(receiver.frame(chunkFrame(chunk(0)))).rejects.toMatchObject({ code: 'malformed_frame' });
    await receiver.close();
    const again = await verified(where);
    expect(again.counters).toEqual({ received: 4, reused: 2, rewritten: 2 });
    expect([...again.have()].map(({ start, hashes }) => [start, hashes])).toEqual([[0, hash(changed)], [4, chunk(4).hash]]);
  });

  test('not before what is there was verified, and not after the end', async () => {
    const receiver = await opened(await world());
    await expect(receiver.frame(chunkFrame(chunk(0)))).rejects.toMatchObject({ code: 'wrong_state' });
    await expect(receiver.complete(Buffer.alloc(32))).rejects.toMatchObject({ code: 'wrong_state' });
    await expect(place(receiver)).rejects.toMatchObject({ code: 'wrong_state' });
    await receiver.verify(never);
    await receiver.close();
    await receiver.close();
    await expect(receiver.frame(chunkFrame(chunk(0)))).rejects.toMatchObject({ code: 'wrong_state' });
  });
});

describe('complete', () => {
  test('refused while something is missing, or with another root', async () => {
    const where = await world();
    const receiver = await verified(where);
    for (const each of chunks.slice(1)) await receiver.frame(chunkFrame(each));
    await expect(receiver.complete(Buffer.alloc(32))).rejects.toMatchObject({ code: 'integrity', message: expect.stringContaining('1 chunks') as unknown });
    expect(await receiver.fileRoot(0)).toBeUndefined();
    await receiver.frame(chunkFrame(chunk(0)));
    await expect(receiver.complete(Buffer.alloc(32))).rejects.toMatchObject({ code: 'integrity' });
    await expect(place(receiver)).rejects.toMatchObject({ code: 'wrong_state' });
    await expect(receiver.fileRoot(99)).rejects.toMatchObject({ code: 'not_found' });
  });

  test.each([['a piece of a large file', 1], ['a small file', 4]])('refused while %s is missing, whatever root the sender names', async (_, missing) => {
    const where = await world();
    const receiver = await verified(where);
    for (const each of chunks.filter(({ index }) => index !== missing)) await receiver.frame(chunkFrame(each));
    const hashes = chunks.map((each) => (each.index === missing ? Buffer.alloc(32) : each.hash));
    const roots = [hashes.slice(0, 4), ...hashes.slice(4).map((each) => [each])].map((each) => hash(Buffer.concat(each)));
    await expect(receiver.complete(hash(Buffer.concat([where.offered.scan.offerRoot, ...roots])))).rejects.toMatchObject({ code: 'integrity', message: expect.stringContaining('1 chunks') as unknown });
  });

  test('entries that the sender gave up are not missed, their chunks dropped, and what was written of them goes', async () => {
    const where = await world();
    const receiver = await verified(where);
    for (const index of [0, 4, 6]) await receiver.frame(chunkFrame(chunk(index)));
    receiver.entryFailed(0, 'source_changed', 'it changed');
    receiver.entryFailed(2, 'source_missing', 'it is gone');
    expect(() => receiver.entryFailed(4, 'io_error', '')).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
    await receiver.frame(chunkFrame(chunk(1)));
    await receiver.frame(packFrame(chunk(5)));
    const { contentRoot } = await flow({ ...where, receiver, alreadyFailed: new Set([0, 2]) });
    await receiver.complete(contentRoot);
    expect(await place(receiver)).toMatchObject({ delivered: 2, failed: 2, savedAs: [{ name: bytes('small') }, { name: bytes('whole') }] });
    expect(await readdir(where.destination)).toEqual(['small', 'whole']);
    expect([...receiver.failures.values()].map(({ code }) => code)).toEqual(['source_changed', 'source_missing']);
    expect(await receiver.fileRoot(0)).toBeUndefined();
  });
});

describe('verify after a restart', () => {
  const tree = (where: World, name: string): string => join(where.destination, '.peerd-test', 't', name);

  const restarted = async (meanwhile: (where: World) => Promise<void>): Promise<number[]> => {
    const where = await world();
    const receiver = await verified(where);
    for (const each of chunks) await receiver.frame(chunkFrame(each));
    await receiver.close();
    await meanwhile(where);
    const again = await verified(where);
    expect(again.counters).toMatchObject({ received: 7, rewritten: 0 });
    const there = [...again.have()].flatMap(({ start, hashes }) => Array.from({ length: hashes.length / 32 }, (_, at) => start + at));
    expect(again.counters.reused).toBe(there.length);
    expect(again.bytesDone).toBe(there.reduce((sum, index) => sum + chunk(index).content.length, 0));
    const { contentRoot, sent } = await flow({ ...where, receiver: again });
    expect(sent + there.length).toBe(7);
    await again.complete(contentRoot);
    expect(again.counters.rewritten).toBe(0);
    await place(again);
    for (const [name, data] of Object.entries(files)) expect(await readFile(join(where.destination, name))).toEqual(data);
    return there;
  };

  test.each([
    ['nothing happened', async () => undefined, [0, 1, 2, 3, 4, 5, 6]],
    ['a large file is gone', (where: World) => rm(tree(where, 'large')), [4, 5, 6]],
    ['a large file is short', (where: World) => truncate(tree(where, 'large'), chunkSize * 2 + 1), [0, 1, 4, 5, 6]],
    ['a large file is longer', (where: World) => truncate(tree(where, 'large'), chunkSize * 9), [0, 1, 2, 3, 4, 5, 6]],
    ['a large file is different', async (where: World) => writeFile(tree(where, 'large'), content(chunkSize, 8), { flag: 'r+' }), [1, 2, 3, 4, 5, 6]],
    ['a small file is gone', (where: World) => rm(tree(where, 'small')), [0, 1, 2, 3, 5, 6]],
    ['a small file is longer', (where: World) => writeFile(tree(where, 'small'), 'x', { flag: 'a' }), [0, 1, 2, 3, 5, 6]],
    ['a small file is different', (where: World) => writeFile(tree(where, 'small'), content(900, 8)), [0, 1, 2, 3, 5, 6]],
    ['a link stands there', async (where: World) => {
      for (const name of ['large', 'small']) {
        await rename(tree(where, name), join(where.root, name));
        await symlink(join(where.root, name), tree(where, name));
      }
    }, [5, 6]],
    ['all of staging is gone', (where: World) => rm(join(where.destination, '.peerd-test'), { recursive: true }), []],
  ])('%s', async (_, meanwhile, expected) => {
    expect(await restarted(meanwhile)).toEqual(expected);
  });

  test('without a journal everything comes again, over what is there', async () => {
    const where = await world();
    const receiver = await verified(where);
    for (const each of chunks) await receiver.frame(chunkFrame(each));
    await receiver.close();
    await rm(join(where.state, 'receiver.journal'));
    const again = await verified(where);
    expect(again.counters).toEqual({ received: 0, reused: 0, rewritten: 0 });
    const { contentRoot } = await flow({ ...where, receiver: again });
    await again.complete(contentRoot);
    await place(again);
    for (const [name, data] of Object.entries(files)) expect(await readFile(join(where.destination, name))).toEqual(data);
  });

  test('an abort ends it with its reason; the next call starts over', async () => {
    const where = await world();
    const receiver = await verified(where);
    for (const each of chunks) await receiver.frame(chunkFrame(each));
    await receiver.close();
    const again = await opened(where);
    const reason = new Error('stop');
    await expect(again.verify(AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(again.frame(chunkFrame(chunk(0)))).rejects.toMatchObject({ code: 'wrong_state' });
    await again.verify(never);
    expect(again.counters.reused).toBe(7);
  });
});

describe('staging', () => {
  test('is private, and taken up again only when it is ours', async () => {
    const where = await world();
    const path = join(where.destination, '.peerd-test');
    await mkdir(path);
    await chmod(path, 0o777);
    const receiver = await verified(where);
    for (const each of [path, join(path, 't')]) expect((await lstat(each)).mode & 0o7777).toBe(0o700);
    await receiver.close();
    await rm(path, { recursive: true });
    await mkdir(join(where.root, 'elsewhere'));
    await symlink(join(where.root, 'elsewhere'), path);
    await expect(openReceiver(where.state, where.destination, where.offered)).rejects.toMatchObject({ code: 'io_error' });
    expect(await readdir(join(where.root, 'elsewhere'))).toEqual([]);
  });

  test('discard removes what we made, and nothing that links lead to', async () => {
    const where = await world();
    const receiver = await verified(where);
    for (const each of chunks) await receiver.frame(chunkFrame(each));
    await receiver.close();
    const tree = join(where.destination, '.peerd-test', 't');
    await writeFile(join(where.root, 'foreign'), 'x');
    await mkdir(join(where.root, 'foreign-dir'));
    await writeFile(join(where.root, 'foreign-dir', 'file'), 'x');
    await symlink(join(where.root, 'foreign'), join(tree, 'link'));
    await symlink(join(where.root, 'foreign-dir'), join(tree, 'dir-link'));
    await mkdir(join(tree, 'locked'));
    await writeFile(join(tree, 'locked', 'file'), 'x');
    await chmod(join(tree, 'locked'), 0o555);
    await writeFile(join(where.destination, 'other'), 'x');
    const journalPath = join(where.state, 'receiver.journal');
    const discard = (): Promise<void> => Receiver.discard({ destination: where.destination, stagingName: 'test', journalPath });
    await discard();
    await discard();
    expect(await readdir(where.destination)).toEqual(['other']);
    expect((await readdir(where.root)).sort()).toEqual(['destination', 'foreign', 'foreign-dir', 'source', 'state']);
    expect(await readdir(join(where.root, 'foreign-dir'))).toEqual(['file']);
    expect(await readdir(where.state)).not.toContain('receiver.journal');
    await mkdir(join(where.root, 'ours'));
    await symlink(join(where.root, 'ours'), join(where.destination, '.peerd-test'));
    await discard();
    expect(await readdir(where.destination)).toEqual(['.peerd-test', 'other']);
    await Receiver.discard({ destination: join(where.root, 'none'), stagingName: 'test', journalPath });
  });

  test.each(['../x', '', 'a/b', '.', '\0'])('a name that could leave the destination is refused: %j', async (stagingName) => {
    const where = await world();
    const options = { destination: where.destination, stagingName, journalPath: join(where.state, 'receiver.journal') };
    await expect(Receiver.open({ ...options, manifest: where.offered.receiver, stages: new StageClock() })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(Receiver.discard(options)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('a destination that does not exist is an error that says so', async () => {
    const where = await world();
    await expect(openReceiver(where.state, join(where.root, 'none'), where.offered)).rejects.toMatchObject({ code: 'io_error', message: expect.stringContaining('ENOENT') as unknown });
  });

  test.each([2 ** 52, 2 ** 44])('%d announced bytes are refused before anything is allocated for them', async (size) => {
    const root = await temporaryDirectory();
    const manifest = await storeManifest(root, [{ path: [bytes('huge')], type: 'file', size, mode: 0o644, mtime: [0, 0] }], chunkSize);
    onTestFinished(() => manifest.close());
    await expect(Receiver.open({ manifest, destination: root, stagingName: 'test', journalPath: join(root, 'journal'), stages: new StageClock() })).rejects.toMatchObject({ code: 'no_space' });
    expect((await lstat(join(root, 'manifest'))).size).toBeLessThan(MiB);
  });
});
