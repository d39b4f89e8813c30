import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createWorld, type Peer, type World } from './linked-services.ts';

const day = 86_400_000;

/** An offer at bob, whose link to alice has ended. */
const offeredOnce = async (): Promise<World & { id: string }> => {
  const world = await createWorld();
  const path = join(world.alice.directory, 'file');
  await writeFile(path, 'content');
  const wire = world.link();
  const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [path] }, new AbortController().signal);
  const id = transfers[0]?.id ?? '';
  await world.bob.event((event) => event.kind === 'offer' && event.id === id);
  wire.cut();
  return { ...world, id };
};

/** As if the daemon was started again after so many days. */
const after = async (peer: Peer, days: number): Promise<void> => {
  await peer.stop();
  peer.now = () => Date.now() + days * day;
  await peer.start();
};
const patience = { timeout: 20_000 };

test('an offer that was not accepted is remembered for 7 days, and its sender is told for as long', async () => {
  const { alice, bob, id } = await offeredOnce();
  await bob.service.reject(id, {});
  const known = async (): Promise<unknown> => [bob.service.hasUnfinishedTransfer(alice.id), (await bob.service.list()).map((transfer) => transfer.id)];
  await after(bob, 6);
  await vi.waitFor(async () => expect(await known()).toEqual([true, [id]]), patience);
  await after(bob, 8);
  await vi.waitFor(async () => expect(await known()).toEqual([false, []]), patience);
});
