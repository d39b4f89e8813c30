/** The world of the tests itself: nothing that was started in it outlives it. */
import { expect, test } from 'vitest';
import { World } from '../harness/world.ts';

test('daemons and commands end with their world, and none starts in it afterwards', async () => {
  const world = await World.create();
  const [alice] = await world.peersInOneRoom(['alice']);
  const watch = alice.command(['--json', 'transfers', '--watch']);
  await watch.line(() => true);
  await world[Symbol.asyncDispose]();
  expect([watch.child.signalCode, alice.daemon?.child.signalCode]).toEqual(['SIGKILL', 'SIGKILL']);
  expect(() => alice.command(['status'])).toThrow('the world is gone');
  await expect(alice.start()).rejects.toThrow('the world is gone');
});
