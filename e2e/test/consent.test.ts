import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffTrees, sha256OfFile } from '../harness/files.ts';
import { World } from '../harness/world.ts';

interface Inbox {
  offers: { id: string; from: { id: string; name: string }; entries: number; bytes: number; note?: string; conflicts: number; names: string[] }[];
}
interface Detail {
  state: string;
  files: { path: string; bytes: number; state: string; root?: string; savedAs?: string }[];
  savedAs: string[];
  error?: { code: string; message: string };
}

/** Everything that stands in a directory, hidden or not. */
const listing = (directory: string): Promise<string[]> => readdir(directory);

/** Mode, and the time of the last change in microseconds: Node sets no finer ones. */
const modeAndTime = async (path: string): Promise<[bigint, bigint]> => {
  const { mode, mtimeNs } = await lstat(path, { bigint: true });
  return [mode, mtimeNs / 1_000n];
};

describe.concurrent('consent', () => {
  test('an offer waits with its manifest, accept delivers it, and send exits 0', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    const file = join(alice.directory, 'report.bin');
    await writeFile(file, randomBytes(3_000_000));
    await chmod(file, 0o640);
    await utimes(file, 1_700_000_000.25, 1_700_000_000.25);

    const send = alice.command(['--json', 'send', 'bob', file, '--note', 'for you']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    const inbox = await bob.json<Inbox>('inbox');
    expect(inbox.offers).toMatchObject([{ id, from: { id: alice.id, name: 'alice' }, entries: 1, bytes: 3_000_000, note: 'for you', conflicts: 0 }]);
    const offer = await bob.json<Detail>('show', String(id));
    expect(offer.files).toMatchObject([{ path: 'report.bin', bytes: 3_000_000, state: 'waiting' }]);
    expect(await listing(bob.inboxDirectory)).toEqual([]);

    await bob.json('accept', String(id));
    const { code } = await send.result;
    expect(code).toBe(0);
    const done = send.lines.at(-1);
    const saved = join(bob.inboxDirectory, 'report.bin');
    expect(done).toMatchObject({ event: 'done', id, savedAs: ['report.bin'] });
    expect(await sha256OfFile(saved)).toBe(await sha256OfFile(file));
    expect((await lstat(saved)).mode & 0o777).toBe(0o640);
    expect(await modeAndTime(saved)).toEqual(await modeAndTime(file));
    expect(await listing(bob.inboxDirectory)).toEqual(['report.bin']);
    expect(await bob.json<Inbox>('inbox')).toMatchObject({ offers: [] });
  });

  test('reject ends send with 5 and the reason, and nothing arrives', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await writeFile(join(alice.directory, 'spam'), 'spam');
    const send = alice.command(['--json', 'send', 'bob', 'spam']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    await bob.json('reject', String(id), '--reason', 'not today');
    const { code, stderr } = await send.result;
    expect(code).toBe(5);
    expect(send.lines.at(-1)).toMatchObject({ event: 'rejected', id });
    expect(JSON.stringify(send.lines.at(-1)) + stderr).toContain('not today');
    expect(await listing(bob.inboxDirectory)).toEqual([]);
    expect((await bob.json<Detail>('show', String(id))).state).toBe('rejected');
  });

  test('accept --to another directory; a second accept says so', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await writeFile(join(alice.directory, 'note'), 'hi');
    await mkdir(join(bob.directory, 'else where'));
    const send = alice.command(['--json', 'send', 'bob', 'note']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    await bob.json('accept', String(id), '--to', 'else where');
    expect((await send.result).code).toBe(0);
    expect(await readFile(join(bob.directory, 'else where', 'note'), 'utf8')).toBe('hi');
    expect(await bob.json('accept', String(id))).toMatchObject({ state: 'already_accepted' });
    expect(await listing(bob.inboxDirectory)).toEqual([]);
  });

  test('a directory with empty files, empty directories, modes and links arrives identical', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    const tree = join(alice.directory, 'tree');
    await mkdir(join(tree, 'empty'), { recursive: true });
    await mkdir(join(tree, 'locked'));
    await writeFile(join(tree, 'locked', 'inside'), 'x');
    await writeFile(join(tree, 'zero'), '');
    await writeFile(join(tree, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    await symlink('run.sh', join(tree, 'link'));
    await symlink('missing', join(tree, 'locked', 'dangling'));
    await utimes(join(tree, 'empty'), 1_600_000_000, 1_600_000_000);
    await chmod(join(tree, 'locked'), 0o555);
    expect((await alice.run('send', 'bob', 'tree')).code).toBe(0);
    const arrived = join(bob.inboxDirectory, 'tree');
    expect(await diffTrees(tree, arrived)).toBe('');
    for (const path of ['empty', 'locked', 'zero', 'run.sh', 'link', 'locked/inside', '.']) {
      expect([path, ...(await modeAndTime(join(arrived, path)))]).toEqual([path, ...(await modeAndTime(join(tree, path)))]);
    }
  });

  test('conflict policies: rename counts up, fail leaves what is there', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    await writeFile(join(alice.directory, 'a.txt'), 'new');
    await writeFile(join(bob.inboxDirectory, 'a.txt'), 'old');
    const renamed = alice.command(['--json', 'send', 'bob', 'a.txt']);
    expect((await renamed.result).code).toBe(0);
    expect(renamed.lines.at(-1)).toMatchObject({ event: 'done', savedAs: ['a (1).txt'] });
    const failed = alice.command(['--json', 'send', 'bob', 'a.txt', '--conflict', 'fail']);
    expect((await failed.result).code).toBe(1);
    expect(failed.lines.at(-1)).toMatchObject({ event: 'failed' });
    expect(await readFile(join(bob.inboxDirectory, 'a.txt'), 'utf8')).toBe('old');
    expect((await listing(bob.inboxDirectory)).sort()).toEqual(['a (1).txt', 'a.txt']);
  });

  test('cancel at either end before consent ends both', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await writeFile(join(alice.directory, 'x'), 'x');
    const send = alice.command(['--json', 'send', 'bob', 'x']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    expect(await alice.json('cancel', String(id))).toMatchObject({ state: 'cancelled' });
    expect((await send.result).code).toBe(6);
    await bob.seesTransfer((transfer) => transfer.id === id && transfer.state === 'cancelled');
    expect(await bob.json<Inbox>('inbox')).toMatchObject({ offers: [] });
    expect((await bob.run('--json', 'accept', String(id))).code).not.toBe(0);
  });

  test('a send to an absent contact is queued and delivered when it returns', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    await alice.json('trust', 'bob');
    await bob.end();
    await alice.seesPeers((seen) => seen.every((peer) => peer.state === 'offline'));
    await writeFile(join(alice.directory, 'later'), 'later');
    const queued = await alice.run('--json', 'send', 'bob', 'later', '--detach');
    expect(queued.code).toBe(0);
    expect(JSON.parse(queued.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ event: 'queued' });
    expect(await alice.json('chat', 'bob', 'see you')).toMatchObject({ state: 'queued' });
    await bob.start('--accept', 'auto');
    await alice.seesTransfer((transfer) => transfer.state === 'done');
    expect(await readFile(join(bob.inboxDirectory, 'later'), 'utf8')).toBe('later');
  });
});
