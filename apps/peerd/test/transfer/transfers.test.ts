import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeReceiptBody, PeerdError, type SendRequest, type SendResponse } from '@peerd/protocol';
import { describe, expect, test, vi } from 'vitest';
import { chunkSize, createWorld, type Peer, type World } from './linked-services.ts';

const never = new AbortController().signal;

const send = (from: Peer, paths: string[], more: Partial<SendRequest> = {}): Promise<SendResponse> => from.service.send({ peers: ['bob'], paths, ...more }, never);

/** A file of random content below the directory of alice. */
const makeFile = async (world: World, name: string, bytes: number): Promise<{ path: string; content: Buffer }> => {
  const path = join(world.alice.directory, name);
  const content = randomBytes(bytes);
  await writeFile(path, content);
  return { path, content };
};

const sendFile = async (world: World, bytes: number, more: Partial<SendRequest> = {}): Promise<{ id: string; content: Buffer }> => {
  const { path, content } = await makeFile(world, 'file.bin', bytes);
  const { transfers } = await send(world.alice, [path], more);
  return { id: transfers[0]?.id ?? '', content };
};

const offered = (peer: Peer, id: string): Promise<unknown> => peer.event((event) => event.kind === 'offer' && event.id === id);
const downloads = (peer: Peer): Promise<string[]> => readdir(peer.settings.downloadDir).catch(() => []);

describe('transfers', () => {
  test('offer, inbox, accept, content, receipt: and nothing before consent', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    const { path, content } = await makeFile(world, 'report.bin', 10 * chunkSize + 123);
    const response = await send(alice, [path], { note: 'for \u001b[31myou' });
    const id = response.transfers[0]?.id ?? '';
    expect(response).toMatchObject({ transfers: [{ direction: 'send', peer: { id: bob.id, name: 'bob' }, state: 'queued', entries: 1, bytes: content.length, bytesDone: 0 }], skipped: [], warnings: [] });
    expect(alice.contacts.get(bob.id)?.name).toBe('bob');
    expect([...alice.needed]).toEqual([`transfer send ${bob.id} ${id} ${bob.id}`]);
    expect(alice.service.hasUnfinishedTransfer(bob.id)).toBe(true);

    const wire = world.link();
    await offered(bob, id);
    await alice.reaches(id, 'offered');
    expect(await bob.service.inbox()).toMatchObject([{ id, from: { id: alice.id, name: 'alice' }, trust: 'new', entries: 1, bytes: content.length, note: 'for \\x1b[31myou', conflicts: 0, names: ['report.bin'] }]);
    expect(await bob.service.show(id.slice(0, 24), {})).toMatchObject({ state: 'offered', files: [{ path: 'report.bin', bytes: content.length, state: 'waiting' }], filesTotal: 1 });
    expect(bob.service.counts()).toEqual({ active: 0, waiting: 0, inbox: 1 });
    expect(await downloads(bob)).toEqual([]);
    expect([...bob.needed]).toEqual([]);

    expect(await bob.service.accept(id, {})).toMatchObject({ state: 'accepted', transfer: { id } });
    expect(bob.contacts.get(alice.id)?.name).toBe('alice');
    await Promise.all([alice.reaches(id, 'done'), bob.reaches(id, 'done')]);
    const saved = join(bob.settings.downloadDir, 'report.bin');
    expect((await readFile(saved)).equals(content)).toBe(true);
    expect(await downloads(bob)).toEqual(['report.bin']);
    expect(bob.states(id)).toEqual(['offered', 'accepted', 'transferring', 'verifying', 'done']);
    expect(alice.states(id)).toEqual(['queued', 'connecting', 'offered', 'accepted', 'transferring', 'verifying', 'done']);

    const [sent, received] = await Promise.all([alice.service.show(id, {}), bob.service.show(id, {})]);
    expect(received).toMatchObject({ bytesDone: content.length, savedAs: [saved], chunks: { sent: 11, received: 11, reused: 0, rewritten: 0, chunkSize }, files: [{ state: 'done', savedAs: saved }] });
    expect(sent).toMatchObject({ bytesDone: content.length, savedAs: ['report.bin'], chunks: { sent: 11, received: 11, reused: 0, rewritten: 0, chunkSize }, receipt: { verified: true, durability: 'none' } });
    expect(sent.files[0]?.root).toMatch(/^[0-9a-f]{64}$/);
    expect(received.files[0]?.root).toBe(sent.files[0]?.root);
    expect(received.receipt).toEqual(sent.receipt);
    await vi.waitFor(() => expect([[...alice.needed], [...bob.needed], wire.listeners]).toEqual([[], [], 0]), { timeout: 20_000 });
    expect(await bob.service.accept(id, {})).toMatchObject({ state: 'already_accepted' });
    expect(await bob.event((event) => event.kind === 'transfer' && event.transfer.state === 'done')).toMatchObject({ savedAs: [saved] });
  });

  test('reject tells the reason, and leaves nothing', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    world.link();
    const { id } = await sendFile(world, 1_000);
    await offered(bob, id);
    expect(await bob.service.reject(id, { reason: 'not today' })).toMatchObject({ state: 'rejected' });
    await alice.reaches(id, 'rejected');
    expect(await alice.service.show(id, {})).toMatchObject({ state: 'rejected', error: { code: 'rejected', message: 'not today' } });
    expect(await bob.service.reject(id, {})).toMatchObject({ state: 'already_rejected' });
    await expect(bob.service.accept(id, {})).rejects.toMatchObject({ code: 'wrong_state' });
    expect(await bob.service.inbox()).toEqual([]);
    expect(bob.contacts.get(alice.id)).toBeUndefined();
    expect(await downloads(bob)).toEqual([]);
  });

  test('a tree with empty files, directories, links and odd names is accepted by policy', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { alice, bob } = world;
    const tree = join(alice.directory, 'tree');
    await mkdir(join(tree, 'empty'), { recursive: true });
    for (let index = 0; index < 200; index += 1) await writeFile(join(tree, `small ${index}`), `${index}`.repeat(index));
    await writeFile(join(tree, 'large'), randomBytes(5 * chunkSize + 1));
    await writeFile(join(tree, 'new\nline'), '');
    await writeFile(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x66, 0xff])]), 'x');
    await symlink('large', join(tree, 'link'));
    world.link();
    const { transfers } = await send(alice, [tree]);
    const id = transfers[0]?.id ?? '';
    await Promise.all([alice.reaches(id, 'done'), bob.reaches(id, 'done')]);
    const arrived = join(bob.settings.downloadDir, 'tree');
    expect((await readdir(arrived, { encoding: 'buffer' })).map(String).sort()).toEqual((await readdir(tree, { encoding: 'buffer' })).map(String).sort());
    expect((await readFile(join(arrived, 'large'))).equals(await readFile(join(tree, 'large')))).toBe(true);
    expect(await readFile(join(arrived, 'small 199'), 'utf8')).toBe('199'.repeat(199));
    const { files, filesTotal } = await bob.service.show(id, { limit: 10_000 });
    expect([filesTotal, files.length]).toEqual([206, 206]);
    expect(files.every(({ state }) => state === 'done')).toBe(true);
    expect(files.find(({ pathBase64 }) => pathBase64 !== undefined)).toMatchObject({ path: 'tree/f\\xff', pathBase64: Buffer.from('tree/f\xff', 'latin1').toString('base64') });
    expect(files.find(({ type }) => type === 'symlink')).toMatchObject({ path: 'tree/link', target: 'large' });
    expect((await bob.service.show(id, { offset: 200, limit: 3 })).files.map(({ path }) => path)).toEqual(files.slice(200, 203).map(({ path }) => path));
    // By policy, not by one's own act.
    expect(bob.contacts.get(alice.id)).toBeUndefined();
  });

  test('a transfer without any content needs no data connection', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const wire = world.link();
    const { id } = await sendFile(world, 0);
    await Promise.all([world.alice.reaches(id, 'done'), world.bob.reaches(id, 'done')]);
    expect(wire.dataConnections).toBe(0);
    expect((await lstat(join(world.bob.settings.downloadDir, 'file.bin'))).size).toBe(0);
  });

  test('conflicts: rename counts up, fail ends with that code at both ends and touches nothing', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { alice, bob } = world;
    await mkdir(bob.settings.downloadDir);
    await writeFile(join(bob.settings.downloadDir, 'file.bin'), 'old');
    world.link();
    const { id, content } = await sendFile(world, 70_000);
    await alice.reaches(id, 'done');
    expect(await alice.service.show(id, {})).toMatchObject({ savedAs: ['file (1).bin'] });
    expect((await readFile(join(bob.settings.downloadDir, 'file (1).bin'))).equals(content)).toBe(true);
    const { id: failing } = await sendFile(world, 70_000, { conflict: 'fail' });
    await Promise.all([alice.reaches(failing, 'failed'), bob.reaches(failing, 'failed')]);
    for (const peer of [alice, bob]) expect(await peer.service.show(failing, {})).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
    expect(await readFile(join(bob.settings.downloadDir, 'file.bin'), 'utf8')).toBe('old');
    expect((await downloads(bob)).sort()).toEqual(['file (1).bin', 'file.bin']);
  });

  test('partial: what can be delivered is, and both ends know what failed', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { alice, bob } = world;
    const good = await makeFile(world, 'good', 3 * chunkSize);
    const gone = await makeFile(world, 'gone', 2 * chunkSize);
    const { transfers } = await send(alice, [good.path, gone.path]);
    const id = transfers[0]?.id ?? '';
    await rm(gone.path);
    world.link();
    await Promise.all([alice.reaches(id, 'failed'), bob.reaches(id, 'failed')]);
    for (const peer of [alice, bob]) {
      const { error, files, receipt } = await peer.service.show(id, {});
      expect(error?.code).toBe('partial');
      expect(receipt?.verified).toBe(true);
      expect(files).toMatchObject([{ path: 'gone', state: 'failed', error: { code: 'source_missing' } }, { path: 'good', state: 'done' }]);
    }
    expect((await readFile(join(bob.settings.downloadDir, 'good'))).equals(good.content)).toBe(true);
    expect(await downloads(bob)).toEqual(['good']);
  });

  test('partial: an entry that the receiver has no place for', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { alice, bob } = world;
    await mkdir(bob.settings.downloadDir);
    await writeFile(join(bob.settings.downloadDir, 'taken'), 'old');
    const paths = [(await makeFile(world, 'free', 5)).path, (await makeFile(world, 'taken', 6)).path];
    world.link();
    const { transfers } = await send(alice, paths, { conflict: 'fail' });
    const id = transfers[0]?.id ?? '';
    await Promise.all([alice.reaches(id, 'failed'), bob.reaches(id, 'failed')]);
    expect(await alice.service.show(id, {})).toMatchObject({ error: { code: 'partial' }, savedAs: ['free'], receipt: { verified: true } });
    expect(await bob.service.show(id, {})).toMatchObject({
      error: { code: 'partial' }, savedAs: [join(bob.settings.downloadDir, 'free')], files: [{ path: 'free', state: 'done' }, { path: 'taken', state: 'failed', error: { code: 'conflict' } }],
    });
    expect(await readFile(join(bob.settings.downloadDir, 'taken'), 'utf8')).toBe('old');
  });

  test('several peers: one transfer each, with a common group', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    alice.present.push({ id: 'c'.repeat(52), name: 'carol' });
    const { path } = await makeFile(world, 'x', 100);
    const { group, transfers } = await alice.service.send({ peers: ['bob', 'carol', bob.id], paths: [path] }, never);
    expect(transfers.map(({ peer }) => peer.name)).toEqual(['bob', 'carol']);
    expect(transfers.every((transfer) => transfer.group === group && group !== undefined)).toBe(true);
    expect((await alice.service.list()).map(({ id }) => id)).toEqual(transfers.map(({ id }) => id));
    await expect(alice.service.show(transfers[0]?.id.slice(0, 4) ?? '', {})).rejects.toMatchObject({ code: 'ambiguous_id' });
    await expect(alice.service.show('zz', {})).rejects.toMatchObject({ code: 'not_found' });
    await expect(alice.service.show('*', {})).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('errors of the sources and of the names come at once, and leave nothing behind', async () => {
    const world = await createWorld();
    const { alice } = world;
    const { path } = await makeFile(world, 'x', 1);
    await expect(send(alice, [join(alice.directory, 'missing')])).rejects.toMatchObject({ code: 'source_missing' });
    await expect(send(alice, [path], { peers: ['nobody'] })).rejects.toMatchObject({ code: 'no_such_peer' });
    await expect(send(alice, [path], { note: 'é'.repeat(600) })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(alice.service.send({ peers: ['bob'], paths: [path] }, AbortSignal.abort(new PeerdError('cancelled', 'the client went away')))).rejects.toThrow();
    expect(await readdir(join(alice.settings.stateDir, 'transfers', 'out'))).toEqual([]);
    expect(await alice.service.list()).toEqual([]);
    expect(alice.contacts.all()).toEqual([]);
  });

  test('accept: another directory must be there and have room; the offer stays in the inbox', async () => {
    const world = await createWorld();
    const { bob } = world;
    world.link();
    const { id, content } = await sendFile(world, 1_000);
    await offered(bob, id);
    await expect(bob.service.accept(id, { to: join(bob.directory, 'missing') })).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('does not exist') as string });
    await expect(bob.service.accept(id, { to: join(bob.directory, 'state', 'identity.key') })).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await bob.service.inbox()).toHaveLength(1);
    const to = join(bob.directory, 'else where');
    await mkdir(to);
    await bob.service.accept(id, { to });
    await bob.reaches(id, 'done');
    expect((await readFile(join(to, 'file.bin'))).equals(content)).toBe(true);
    expect(await bob.service.show(id, {})).toMatchObject({ savedAs: [join(to, 'file.bin')] });
  });

  test('an offer larger than the disk: no_space, and it stays in the inbox', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    const wire = world.link();
    // Sparse: its size counts, not its content.
    const path = join(alice.directory, 'huge');
    await writeFile(path, '');
    await truncate(path, 2 ** 43);
    const { transfers } = await send(alice, [path]);
    const id = transfers[0]?.id ?? '';
    await offered(bob, id);
    await expect(bob.service.accept(id, {})).rejects.toMatchObject({ code: 'no_space', exitCode: 7 });
    expect(await bob.service.inbox()).toHaveLength(1);
    expect(wire.seen).not.toContain('alice accept');
  });

  test('a receipt that is forged, or for something else, is not taken', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { alice, bob } = world;
    const wire = world.link();
    wire.onMessage = (_to, message) =>
      message.kind === 'receipt' ? { kind: 'receipt', body: { ...message.body, signature: alice.identity.sign(message.body.body) } } : message;
    const { id } = await sendFile(world, 100_000);
    await alice.reaches(id, 'failed');
    expect(await alice.service.show(id, {})).toMatchObject({ error: { code: 'integrity' }, receipt: null });
    await bob.reaches(id, 'done');

    wire.onMessage = (_to, message) => {
      if (message.kind !== 'receipt') return message;
      const body = encodeReceiptBody({
        transfer: message.body.transfer, sender: alice.id, receiver: bob.id, offerRoot: Buffer.alloc(32), contentRoot: Buffer.alloc(32), receivedAt: 1, durability: 'none', delivered: 1, failed: 0,
      });
      return { kind: 'receipt', body: { ...message.body, body, signature: bob.identity.sign(body) } };
    };
    const { id: other } = await sendFile(world, 100_000);
    await alice.reaches(other, 'failed');
    expect(await alice.service.show(other, {})).toMatchObject({ error: { code: 'integrity' } });
  });

  test('content that is not what its hash says ends the transfer at both ends, and nothing of it is delivered', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { alice, bob } = world;
    const wire = world.link();
    wire.onFrame = (frame, count) => {
      if (count === 3) frame.payload.writeUInt8(frame.payload.readUInt8(frame.payload.length - 1) ^ 1, frame.payload.length - 1);
    };
    const { id } = await sendFile(world, 8 * chunkSize);
    await Promise.all([alice.reaches(id, 'failed'), bob.reaches(id, 'failed')]);
    for (const peer of [alice, bob]) expect(await peer.service.show(id, {})).toMatchObject({ error: { code: 'integrity' } });
    await bob.event((event) => event.kind === 'transfer' && event.transfer.state === 'failed');
    await bob.stop();
    expect(await downloads(bob)).toEqual([]);
    await bob.start();
  });

  test('an id of ours, or a known id with other content, is refused', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    const wire = world.link();
    const { id } = await sendFile(world, 100);
    await offered(bob, id);
    const link = { signal: never, peer: alice.id, name: 'alice', publicKey: alice.identity.publicKey, exportKeyingMaterial: () => Buffer.alloc(32), dialled: false, remote: { host: '127.0.0.1', port: 1 }, since: 0 };
    const answers: Buffer[] = [];
    const offer = { transfer: id, entries: 1, bytes: 100, pages: 1, manifestBytes: 50, offerRoot: Buffer.alloc(32, 7), chunkSize, conflict: 'rename' as const };
    await bob.service.message({ ...link, send: async (frame) => void answers.push(frame), openData: () => Promise.reject(new Error('none')) }, { kind: 'offer', body: offer });
    expect(answers).toHaveLength(1);
    expect(answers[0]?.readUInt8(4)).toBe(0x45);
    expect(await bob.service.inbox()).toHaveLength(1);
    expect(wire.seen.filter((line) => line === 'bob offer')).toHaveLength(1);
  });

  test('a stranger has at most 8 offers in the inbox', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    world.link();
    const { path } = await makeFile(world, 'x', 10);
    const ids: string[] = [];
    for (let count = 0; count < 9; count += 1) {
      const { transfers } = await send(alice, [path]);
      ids.push(transfers[0]?.id ?? '');
      if (count < 8) await offered(bob, ids.at(-1) ?? '');
    }
    await alice.reaches(ids[8] ?? '', 'failed');
    expect(await alice.service.show(ids[8] ?? '', {})).toMatchObject({ error: { code: 'too_many_offers' } });
    expect(await bob.service.inbox()).toHaveLength(8);
  });

  test('an offer of a peer that was blocked is not accepted, and a reason is no book', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    world.link();
    const { id } = await sendFile(world, 10);
    await offered(bob, id);
    await expect(bob.service.reject(id, { reason: 'é'.repeat(513) })).rejects.toMatchObject({ code: 'invalid_argument' });
    await bob.policies.set({ id: alice.id, name: 'alice' }, 'block', undefined);
    await expect(bob.service.accept(id, {})).rejects.toMatchObject({ code: 'wrong_state', hint: expect.stringContaining('blocked') });
    expect([await bob.service.show(id, {}), bob.contacts.get(alice.id)]).toMatchObject([{ state: 'offered' }, undefined]);
  });

  test('a grant by names takes no offer with more names than are looked at', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    await bob.policies.set({ id: alice.id, name: 'alice' }, 'auto', { into: undefined, maxBytes: undefined, match: '*.txt', until: undefined });
    const paths = await Promise.all(Array.from({ length: 1_001 }, (_, index) => makeFile(world, index < 1_000 ? `${index}.txt` : 'z.sh', 1)));
    world.link();
    const { transfers } = await send(alice, paths.map(({ path }) => path));
    await offered(bob, transfers[0]?.id ?? '');
    expect(await bob.service.inbox()).toMatchObject([{ why: expect.stringContaining('names') as string }]);
    expect(await downloads(bob)).toEqual([]);
  });

  test('what is over is remembered for 30 days, and its files go with it; what no row knows is removed', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { alice, bob } = world;
    const wire = world.link();
    const { id } = await sendFile(world, 10);
    await Promise.all([alice.reaches(id, 'done'), bob.reaches(id, 'done')]);
    const metrics = await bob.registry.metrics();
    expect(metrics).toContain('peerd_transfers_total{direction="receive",outcome="done"} 1');
    expect(metrics).toContain('peerd_transfer_bytes_total{direction="receive"} 10');
    await vi.waitFor(async () => expect(bob.service.hasUnfinishedTransfer(alice.id)).toBe(false), { timeout: 20_000 });
    wire.cut();
    const incoming = join(bob.settings.stateDir, 'transfers', 'in', alice.id);
    await mkdir(join(incoming, '01jd0000000000000000000000'));
    for (const [days, left] of [[29, [id]], [31, []]] as const) {
      await bob.stop();
      bob.now = () => Date.now() + days * 86_400_000;
      await bob.start();
      await vi.waitFor(async () => expect([(await bob.service.list()).map((transfer) => transfer.id), await readdir(incoming)]).toEqual([left, left]), { timeout: 20_000 });
    }
  });

  test('an offer that nobody decides about expires at both ends', async () => {
    const world = await createWorld();
    const { alice, bob } = world;
    const { id } = await sendFile(world, 10);
    let wire = world.link();
    await offered(bob, id);
    wire.cut();
    await bob.stop();
    bob.now = () => Date.now() + 8 * 86_400_000;
    await bob.start();
    await bob.reaches(id, 'failed');
    wire = world.link();
    await alice.reaches(id, 'failed');
    expect(await alice.service.show(id, {})).toMatchObject({ error: { code: 'offer_expired' } });
    // Confirmed and tidied up after the step is stored.
    await vi.waitFor(() => expect(wire.seen).toContain('bob receipt-ack'), { timeout: 20_000 });
    await vi.waitFor(async () => expect(await readdir(join(bob.settings.stateDir, 'transfers', 'in', alice.id))).toEqual([]), { timeout: 20_000 });
  });
});
