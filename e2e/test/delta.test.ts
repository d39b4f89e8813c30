import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256OfFile, writeRandomFile } from '../harness/files.ts';
import { World } from '../harness/world.ts';

const MiB = 1024 * 1024;

test('of a file that is sent again over itself only what changed travels', async () => {
  await using world = await World.create();
  await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
  const source = join(alice.directory, 'database');
  await writeRandomFile(source, 32 * MiB + 5);
  expect((await alice.run('send', 'bob', source)).code).toBe(0);
  await bob.json('trust', 'alice');
  {
    await using file = await open(source, 'r+');
    for (const chunk of [3, 32]) await file.write(Buffer.from('!!'), 0, 2, chunk * MiB + 1);
  }
  const { code, stdout } = await alice.run('--json', 'send', 'bob', source, '--conflict', 'overwrite');
  expect(code).toBe(0);
  const { id } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { id: string };
  for (const peer of [alice, bob]) expect(await peer.json('show', id)).toMatchObject({ state: 'done', bytesDone: 32 * MiB + 5, chunks: { received: 2, reused: 31, rewritten: 0 } });
  expect(await alice.json('show', id)).toMatchObject({ chunks: { sent: 2 } });
  expect(await sha256OfFile(join(bob.inboxDirectory, 'database'))).toBe(await sha256OfFile(source));
});
