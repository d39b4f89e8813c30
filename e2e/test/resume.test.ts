import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256OfFile, writeRandomFile } from '../harness/files.ts';
import { type Peer, World } from '../harness/world.ts';

const MiB = 1024 * 1024;
const size = 1024 * MiB;
/** So that the fault finds it under way on any machine. */
const rate = '64M';
/** The journal may be this far behind what was received. */
const journalLag = 32 * MiB;

interface Detail {
  state: string;
  bytesDone: number;
  chunks: { sent: number; received: number; reused: number; rewritten: number; chunkSize: number };
}

describe('resume after kill -9 in the middle of 1 GiB', () => {
  const underWay = async (world: World): Promise<{ alice: Peer; bob: Peer; id: string; file: string; bytesDone: number; send: ReturnType<Peer['command']> }> => {
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    const file = join(alice.directory, 'one-gib');
    await writeRandomFile(file, size);
    const send = alice.command(['--json', 'send', 'bob', file, '--limit-rate', rate]);
    const line = await send.line((candidate) => candidate['event'] === 'progress' && Number(candidate['bytesDone']) > 100 * MiB);
    return { alice, bob, id: String(line['id']), file, bytesDone: Number(line['bytesDone']), send };
  };

  const checkArrival = async ({ bob, id, file, bytesDone }: { bob: Peer; id: string; file: string; bytesDone: number }): Promise<void> => {
    const detail = await bob.json<Detail>('show', id);
    expect(detail.state).toBe('done');
    expect(detail.chunks.rewritten).toBe(0);
    expect(detail.chunks.reused * detail.chunks.chunkSize).toBeGreaterThanOrEqual(bytesDone - journalLag);
    expect(detail.chunks.reused).toBeLessThan(size / detail.chunks.chunkSize);
    expect(await sha256OfFile(join(bob.inboxDirectory, 'one-gib'))).toBe(await sha256OfFile(file));
  };

  test('of the receiver', async () => {
    await using world = await World.create();
    const { bob, send, ...rest } = await underWay(world);
    await bob.end('SIGKILL');
    await bob.start();
    expect((await send.result).code).toBe(0);
    await checkArrival({ bob, ...rest });
  });

  test('of the sender', async () => {
    await using world = await World.create();
    const { alice, bob, send, id, ...rest } = await underWay(world);
    await alice.end('SIGKILL');
    await alice.start();
    await bob.seesTransfer((transfer) => transfer.id === id && transfer.state === 'done');
    await alice.seesTransfer((transfer) => transfer.id === id && transfer.state === 'done');
    expect((await send.result).code).toBe(0);
    await checkArrival({ bob, id, ...rest });
  });
});
