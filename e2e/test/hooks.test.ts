import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Peer } from '../harness/world.ts';
import { World } from '../harness/world.ts';

const program = async (path: string, script: string): Promise<string> => {
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
};

/** A line of the log that was written already, or will be. */
const logLine = async (peer: Peer, fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> => {
  const find = (): Record<string, unknown> | undefined => (peer.daemon?.log ?? []).map((line) => JSON.parse(line) as Record<string, unknown>).find(fits);
  return await vi.waitFor(
    () => {
      const line = find();
      if (!line) throw new Error(`no such line:\n${peer.daemon?.log.join('\n') ?? ''}`);
      return line;
    },
    { timeout: 20_000 },
  );
};

describe.concurrent('hooks', () => {
  test('on_received runs with what was received, where it is; a failure of it changes nothing', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const seen = join(world.directory, 'seen');
    const hook = await program(join(world.directory, 'hook'), `{ pwd; echo "$1|$PEERD_STATE|$PEERD_PEER_NAME|$PEERD_NOTE|$PEERD_SAVED_AS_JSON|$PEERD_ROOM"; } >'${seen}'; echo "told \\033[31m"; exit 3`);
    const bob = await world.peer('bob', { args: ['--accept', 'auto', '--on-received', hook, '--on-received', 'one; two'] }).start();
    const [alice] = await world.peersInOneRoom(['alice']);
    await alice.seesPeers((peers) => peers.some(({ name }) => name === 'bob'));
    await writeFile(join(alice.directory, 'report.pdf'), 'content');
    const sent = await alice.run('send', 'bob', 'report.pdf', '--note', 'for you');
    expect([sent.code, sent.stderr]).toEqual([0, '']);
    const line = await logLine(bob, ({ msg }) => String(msg).startsWith('on_received: it did not succeed'));
    expect(line).toMatchObject({ outcome: 'failed', detail: 'exit code 3', output: 'told \\\\x1b[31m\\n'.replace('\\\\', '\\') });
    const saved = join(bob.inboxDirectory, 'report.pdf');
    expect(await readFile(seen, 'utf8')).toBe(`${bob.inboxDirectory}\none; two|done|alice|for you|${JSON.stringify([{ path: saved }])}|\n`);
    expect((await bob.json<{ transfers: { state: string }[] }>('transfers')).transfers.map(({ state }) => state)).toEqual(['done']);
  });

  test('a program that hangs is ended, and keeps nobody from stopping peerd', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const hook = await program(join(world.directory, 'hook'), 'sleep 1000');
    const bob = await world.peer('bob', { args: ['--accept', 'auto', '--on-received', hook, '--on-received-timeout', '1'] }).start();
    const [alice] = await world.peersInOneRoom(['alice']);
    await alice.seesPeers((peers) => peers.some(({ name }) => name === 'bob'));
    await writeFile(join(alice.directory, 'report.pdf'), 'content');
    expect((await alice.run('send', 'bob', 'report.pdf')).code).toBe(0);
    await logLine(bob, ({ outcome }) => outcome === 'timeout');
    expect((await alice.run('send', 'bob', 'report.pdf')).code).toBe(0);
    await bob.end();
  });

  test('an offer that waits and a reception are shown on the desktop', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const bin = join(world.directory, 'bin');
    const log = join(world.directory, 'shown');
    await mkdir(bin);
    await program(join(bin, 'notify-send'), `printf '%s\\n' "$@" >>'${log}'`);
    const bob = await world.peer('bob', { prefix: ['env', `PATH=${bin}:${process.env['PATH'] ?? ''}`, 'DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent'] }).start();
    const [alice] = await world.peersInOneRoom(['alice']);
    await alice.seesPeers((peers) => peers.some(({ name }) => name === 'bob'));
    await writeFile(join(alice.directory, 'report.pdf'), 'content');
    const sending = alice.command(['send', 'bob', 'report.pdf']);
    const { id } = await bob.seesTransfer(({ state }) => state === 'offered');
    await bob.run('accept', id);
    expect((await sending.result).code).toBe(0);
    // A second offer is shown behind the reception, so both are there then.
    await alice.run('send', 'bob', 'report.pdf', '--detach');
    await vi.waitFor(async () => expect((await readFile(log, 'utf8')).match(/wants to send/g)).toHaveLength(2), { timeout: 20_000 });
    expect(await readFile(log, 'utf8')).toContain(`Received from alice\n${join(bob.inboxDirectory, 'report.pdf')}\n`);
  });
});
