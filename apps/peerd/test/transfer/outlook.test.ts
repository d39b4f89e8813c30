import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createWorld, type World } from './linked-services.ts';

const { signal } = new AbortController();

const offered = async (world: World, names: readonly string[]): Promise<string> => {
  for (const name of names) await writeFile(join(world.alice.directory, name), name);
  world.link();
  const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: names.map((name) => join(world.alice.directory, name)) }, signal);
  const id = transfers[0]?.id ?? '';
  await world.bob.reaches(id, 'offered');
  return id;
};

describe('what an offer would mean', () => {
  test('counts, the first of what is risky, space; and the same of each file', async () => {
    const world = await createWorld();
    const { bob } = world;
    await mkdir(bob.settings.downloadDir);
    await writeFile(join(bob.settings.downloadDir, 'a'), 'other');
    await symlink('/etc/passwd', join(bob.settings.downloadDir, 'b'));
    const hidden = [0, 1, 2, 3, 4, 5].map((number) => `.h${number}`);
    const id = await offered(world, ['a', 'b', 'c', ...hidden]);
    expect(await bob.service.inbox()).toMatchObject([
      {
        id, conflict: 'rename', conflicts: 2, diff: { new: 7, same: 0, conflict: 2, risky: 6, counted: true }, space: { needed: 21, fits: true },
        risks: hidden.slice(0, 5).map((path) => ({ path, reasons: ['hidden'] })),
      },
    ]);
    const detail = await bob.service.show(id, { offset: 5, limit: 3 });
    expect(detail.offer).toMatchObject({ trust: 'new', destination: bob.settings.downloadDir, diff: { new: 7, conflict: 2 } });
    expect(detail.files).toMatchObject([{ path: '.h5', diff: 'new', risky: ['hidden'] }, { path: 'a', diff: 'conflict' }, { path: 'b', diff: 'conflict' }]);
    expect(detail.files[1]).not.toHaveProperty('risky');
    // Not of what is sent from here, and not when it is over.
    expect((await world.alice.service.show(id, {})).offer).toBeUndefined();
    await bob.service.reject(id, {});
    expect((await bob.service.show(id, {})).offer).toBeUndefined();
  });

  test('a directory that is not there, or is none, does not hide the offer', async () => {
    const world = await createWorld();
    const { bob } = world;
    const id = await offered(world, ['a']);
    expect(await bob.service.inbox()).toMatchObject([{ id, diff: { new: 1, counted: true }, space: { fits: true } }]);
    await writeFile(bob.settings.downloadDir, 'a file');
    expect(await bob.service.inbox()).toMatchObject([{ id, diff: { new: 0, same: 0, conflict: 0, risky: 0, counted: false } }]);
    const detail = await bob.service.show(id, {});
    expect(detail).toMatchObject({ offer: { diff: { counted: false } }, files: [{ path: 'a' }] });
    expect(detail.files[0]).not.toHaveProperty('diff');
    await rm(bob.settings.downloadDir);
    const other = join(bob.directory, 'other');
    await mkdir(other);
    await writeFile(join(other, 'a'), 'something else');
    expect(await bob.service.show(id, { to: other })).toMatchObject({ offer: { destination: other, diff: { conflict: 1 } }, files: [{ diff: 'conflict' }] });
    await expect(bob.service.show(id, { to: join(bob.directory, 'absent') })).rejects.toMatchObject({ code: 'invalid_argument' });
    await bob.service.accept(id, { to: other });
    await bob.reaches(id, 'done');
    await expect(bob.service.show(id, { to: other })).rejects.toMatchObject({ code: 'wrong_state' });
  });
});
