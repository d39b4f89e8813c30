import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { canChangeUser, ofAnotherUser } from '../harness/another-user.ts';
import { diffTrees } from '../harness/files.ts';
import { Command, programs } from '../harness/process.ts';
import { type Peer, World } from '../harness/world.ts';

const MiB = 1024 * 1024;

const pair = async (world: World, ...args: string[]): Promise<readonly [Peer, Peer]> => {
  await world.rendezvous();
  return world.peersInOneRoom(['alice', 'bob'], { args });
};

const spooled = (peer: Peer): Promise<string[]> => readdir(join(peer.directory, 'state', 'spool'));

/** Runs a send whose standard input is this. */
const sendInput = (peer: Peer, content: Buffer, ...args: string[]): ReturnType<Peer['command']> => {
  const command = peer.command(['--json', 'send', 'bob', '-', ...args], { stdin: 'pipe' });
  const { stdin } = command.child;
  // A command that has enough stops reading.
  if (stdin) pipeline(Readable.from([content]), stdin).catch(() => {});
  return command;
};

const eventually = async <T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T> => {
  for (let tries = 0; ; tries += 1) {
    const value = await read();
    if (fits(value) || tries > 200) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

describe.concurrent('standard input', () => {
  test('arrives under its name, also when both daemons are killed before the consent; then the spool is empty', async () => {
    await using world = await World.create();
    const [alice, bob] = await pair(world);
    const content = randomBytes(9 * MiB + 1);
    const send = sendInput(alice, content, '--name', 'backup.tar');
    const { id } = await send.line((line) => line['event'] === 'offered');
    expect(await spooled(alice)).toHaveLength(1);
    await Promise.all([alice.end('SIGKILL'), bob.end('SIGKILL')]);
    await Promise.all([alice.start(), bob.start()]);
    expect(await spooled(alice)).toHaveLength(1);
    await bob.json('accept', String(id));
    expect(await send.result).toMatchObject({ code: 0 });
    expect((await readFile(join(bob.inboxDirectory, 'backup.tar'))).equals(content)).toBe(true);
    expect(await eventually(() => spooled(alice), (names) => names.length === 0)).toEqual([]);
  });

  test('empty is an empty file named stdin; a rejected one leaves nothing', async () => {
    await using world = await World.create();
    const [alice, bob] = await pair(world);
    const send = sendInput(alice, Buffer.alloc(0));
    const { id } = await send.line((line) => line['event'] === 'offered');
    await bob.json('accept', String(id));
    expect((await send.result).code).toBe(0);
    expect((await stat(join(bob.inboxDirectory, 'stdin'))).size).toBe(0);
    const unwanted = sendInput(alice, Buffer.from('unwanted'));
    const { id: second } = await unwanted.line((line) => line['event'] === 'offered');
    await bob.json('reject', String(second));
    expect((await unwanted.result).code).toBe(5);
    expect(await eventually(() => spooled(alice), (names) => names.length === 0)).toEqual([]);
  });

  test('over the quota: exit 7 with numbers, although the input goes on; an interrupted upload leaves nothing', async () => {
    await using world = await World.create();
    const [alice] = await pair(world, '--spool-quota', '1M');
    const { code, stderr } = await sendInput(alice, randomBytes(8 * MiB)).result;
    expect([code, stderr]).toEqual([7, expect.stringContaining(`"code":"spool_full","message":"the spool may hold ${MiB} bytes`)]);
    expect(await spooled(alice)).toEqual([]);
    const open = alice.command(['send', 'bob', '-'], { stdin: 'pipe' });
    open.child.stdin?.write('the beginning');
    expect(await eventually(() => spooled(alice), (names) => names.length === 1)).toEqual([expect.stringMatching(/\.part$/)]);
    open.child.kill('SIGINT');
    expect((await open.result).code).toBe(130);
    expect(await eventually(() => spooled(alice), (names) => names.length === 0)).toEqual([]);
    const nobodyThere = alice.command(['--json', 'send', 'nobody', '-'], { stdin: 'pipe' });
    nobodyThere.child.stdin?.end('x');
    expect((await nobodyThere.result).code).toBe(4);
    expect(await spooled(alice)).toEqual([]);
  });
});

describe.runIf(canChangeUser)('paths that peerctl can read and peerd cannot (needs root: peerd runs as another user)', () => {
  test('a tree arrives with modes, times, links and odd names; what peerd can read is not uploaded', async () => {
    await using world = await World.create();
    chmodSync(world.directory, 0o711);
    await world.rendezvous();
    const bob = await world.peer('bob', { args: ['--accept', 'auto'] }).start();
    const alice = await ofAnotherUser(world, 'alice').start();
    await alice.seesPeers((peers) => peers.some(({ id }) => id === bob.id));
    const home = join(world.directory, 'home');
    mkdirSync(join(home, 'tree/empty'), { recursive: true });
    writeFileSync(join(home, 'tree/secret'), 'secret', { mode: 0o600 });
    writeFileSync(Buffer.concat([Buffer.from(join(home, 'tree/')), Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a])]), 'odd');
    writeFileSync(join(home, 'tree', 'x'.repeat(200)), 'long');
    writeFileSync(join(home, 'tree/left.log'), 'log');
    symlinkSync('secret', join(home, 'tree/link'));
    execFileSync('touch', ['-d', '2001-02-03T04:05:06.789012Z', join(home, 'tree/secret'), join(home, 'tree/empty')]);
    chmodSync(join(home, 'tree/empty'), 0o555);
    chmodSync(home, 0o700);
    writeFileSync(join(world.directory, 'public'), 'public');
    // peerctl as the user that runs this test.
    const sender = new Command(programs.peerctl, ['--socket', alice.socket, '--json', 'send', 'bob', join(home, 'tree'), join(world.directory, 'public'), '--exclude', '*.log'], { env: bob.environment, cwd: world.directory });
    const queued = await sender.line((line) => line['event'] === 'queued');
    expect(queued).toMatchObject({ entries: 7, leftOut: 1, skipped: [], warnings: [`peerd may not read ${join(home, 'tree')}: it was uploaded to its spool, and is sent from there`] });
    expect((await sender.result).code).toBe(0);
    expect(await diffTrees(join(home, 'tree'), join(bob.inboxDirectory, 'tree'))).toMatch(/^Only in .*: left.log\n$/);
    const [from, to] = await Promise.all([home, bob.inboxDirectory].map((where) => Promise.all(['tree/secret', 'tree/empty', 'tree'].map((path) => stat(join(where, path), { bigint: true })))));
    expect(to?.map(({ mode, mtimeNs }) => [mode, mtimeNs / 1_000n])).toEqual(from?.map(({ mode, mtimeNs }) => [mode, mtimeNs / 1_000n]));
    expect(await readFile(join(bob.inboxDirectory, 'public'), 'utf8')).toBe('public');
    expect(await eventually(() => spooled(alice), (names) => names.length === 0)).toEqual([]);
  });
});
