import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256OfFile, writeRandomFile } from '../harness/files.ts';
import { type Peer, World } from '../harness/world.ts';

const MiB = 1024 * 1024;
const size = 96 * MiB;
/** So that a pause finds it under way on any machine. */
const rate = '32M';

interface Detail {
  state: string;
  pausedBy?: string[];
  chunks: { received: number; reused: number; rewritten: number; chunkSize: number };
}

describe.concurrent('pause and resume', () => {
  const underWay = async (world: World): Promise<{ alice: Peer; bob: Peer; id: string; file: string; send: ReturnType<Peer['command']> }> => {
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    const file = join(alice.directory, 'file');
    await writeRandomFile(file, size);
    const send = alice.command(['--json', 'send', 'bob', file, '--limit-rate', rate]);
    const line = await send.line((candidate) => candidate['event'] === 'progress' && Number(candidate['bytesDone']) > 8 * MiB);
    return { alice, bob, id: String(line['id']), file, send };
  };

  test('by the receiver in the middle: the sender says who paused, through a restart; nothing is sent twice', async () => {
    await using world = await World.create();
    const { alice, bob, id, file, send } = await underWay(world);
    expect(await bob.json('pause', id)).toMatchObject({ state: 'paused', transfer: { state: 'paused', pausedBy: ['receiver'] } });
    expect(await send.line((line) => line['state'] === 'paused')).toMatchObject({ event: 'progress', pausedBy: ['receiver'] });
    expect((await alice.run('transfers')).stdout).toMatch(/paused .*paused by bob/);
    await bob.end('SIGKILL');
    await bob.start();
    expect(await bob.json<Detail>('show', id)).toMatchObject({ state: 'paused', pausedBy: ['receiver'] });
    expect(await bob.json('pause', id)).toMatchObject({ state: 'already_paused' });
    expect(await bob.json('resume', id)).toMatchObject({ state: 'resumed' });
    expect((await send.result).code).toBe(0);
    const { state, chunks } = await bob.json<Detail>('show', id);
    expect([state, chunks.rewritten]).toEqual(['done', 0]);
    // What the journal had claimed before it was killed.
    expect(chunks.reused).toBeGreaterThan(0);
    // Both ends count it, and the one that was killed goes on counting from what it had stored.
    for (const side of [alice, bob]) expect((await side.json<{ stages: { paused: number } }>('why', id)).stages.paused).toBeGreaterThan(0);
    expect(await sha256OfFile(join(bob.inboxDirectory, 'file'))).toBe(await sha256OfFile(file));
    const late = await bob.run('--json', 'pause', id);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('wrong_state')]);
  });

  test('by both: it goes on when both have let go; cancel works meanwhile', async () => {
    await using world = await World.create();
    const { alice, bob, id, send } = await underWay(world);
    await alice.json('pause', id);
    await bob.seesTransfer((transfer) => transfer.id === id && transfer.state === 'paused');
    await bob.json('pause', id);
    expect(await send.line((line) => Array.isArray(line['pausedBy']) && line['pausedBy'].length === 2)).toMatchObject({ state: 'paused', pausedBy: ['sender', 'receiver'] });
    expect(await alice.json('resume', id)).toMatchObject({ state: 'resumed', transfer: { state: 'paused', pausedBy: ['receiver'] } });
    expect((await alice.run('resume', id)).stdout).toContain('(paused by bob)');
    expect(await bob.json('cancel', id)).toMatchObject({ state: 'cancelled' });
    expect((await send.result).code).toBe(6);
  });

  test('before the receiver is there: the offer waits in its inbox, and nothing flows before the sender resumes', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await alice.json('connect', 'bob');
    await bob.end();
    const file = join(alice.directory, 'file');
    await writeRandomFile(file, MiB);
    const { id } = await alice.json<{ id: string }>('send', 'bob', file, '--detach');
    await alice.json('pause', id);
    await bob.start();
    await alice.json('connect', 'bob');
    await bob.seesTransfer((transfer) => transfer.id === id && transfer.state === 'paused');
    expect(await bob.json('accept', id)).toMatchObject({ transfer: { state: 'paused', pausedBy: ['sender'] } });
    await alice.json('resume', id);
    await alice.seesTransfer((transfer) => transfer.id === id && transfer.state === 'done');
    expect(await sha256OfFile(join(bob.inboxDirectory, 'file'))).toBe(await sha256OfFile(file));
  });
});
