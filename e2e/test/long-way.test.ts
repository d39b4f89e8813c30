import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256OfFile, writeRandomFile } from '../harness/files.ts';
import { LongWay } from '../harness/long-way.ts';
import { type Peer, World } from '../harness/world.ts';

const MiB = 1024 * 1024;

const dataConnections = async (peer: Peer): Promise<number> => {
  const { metrics } = await peer.json<{ metrics: string }>('status');
  const exposed = await (await fetch(`http://${metrics}/metrics`)).text();
  return Number(/^peerd_data_connections_total\{side="dialled"\} (\d+)$/m.exec(exposed)?.[1]);
};

test('where the way holds each connection up, content takes several', async () => {
  await using world = await World.create();
  const alice = await world.peer('alice').start();
  const bob = await world.peer('bob', { args: ['--accept', 'auto'] }).start();
  const { listen } = await bob.json<{ listen: string[] }>('status');
  // 256 KiB in 10 ms are 26 MB/s.
  await using way = await LongWay.to({ port: Number(listen[0]?.split(':').at(-1)), delayMs: 10, window: MiB / 4 });
  await alice.json('trust', `${bob.id}@127.0.0.1:${way.port}`);
  await bob.json('trust', `${alice.id}@127.0.0.1:1`);
  const source = join(alice.directory, 'file');
  await writeRandomFile(source, 160 * MiB);
  const sent = await alice.run('send', bob.id, source);
  expect(sent.stderr).toBe('');
  expect(sent.code).toBe(0);
  expect(await sha256OfFile(join(bob.inboxDirectory, 'file'))).toBe(await sha256OfFile(source));
  expect(await dataConnections(alice)).toBeGreaterThan(1);
});
