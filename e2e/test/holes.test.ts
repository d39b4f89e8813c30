import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256OfFile } from '../harness/files.ts';
import { World } from '../harness/world.ts';

const MiB = 1024 * 1024;
const fileBytes = 96 * MiB + 17;

test('a sparse file arrives with its holes', async () => {
  await using world = await World.create();
  await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
  const source = join(alice.directory, 'disk.img');
  {
    await using file = await open(source, 'w');
    await file.truncate(fileBytes);
    for (const [at, byte] of [[0, 1], [40 * MiB + 3, 2], [fileBytes - 1, 3]] as const) await file.write(Buffer.from([byte]), 0, 1, at);
  }
  expect((await alice.run('send', 'bob', source)).code).toBe(0);
  const arrived = join(bob.inboxDirectory, 'disk.img');
  expect(await sha256OfFile(arrived)).toBe(await sha256OfFile(source));
  const { size, blocks } = await stat(arrived);
  expect(size).toBe(fileBytes);
  expect(blocks * 512).toBeLessThanOrEqual(8 * MiB);
  expect(await alice.json('transfers')).toMatchObject({ transfers: [{ state: 'done', bytes: fileBytes, bytesDone: fileBytes }] });
});
