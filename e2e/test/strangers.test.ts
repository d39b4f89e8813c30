import { expect, test } from 'vitest';
import { World } from '../harness/world.ts';

interface Messages {
  messages: { text: string; stranger: boolean; direction: string }[];
}

test('messages of strangers are kept apart until somebody writes back', async () => {
  await using world = await World.create();
  await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
  expect(await alice.json('chat', 'bob', 'hello', '\u001b[31mred')).toMatchObject({ state: 'delivered' });
  expect((await bob.json<Messages>('chat', '--strangers')).messages).toMatchObject([{ text: 'hello \\x1b[31mred', stranger: true, direction: 'received' }]);
  expect((await bob.json<Messages>('chat', '--history')).messages).toEqual([]);
  expect((await bob.json<Messages>('chat', 'alice', '--history')).messages).toMatchObject([{ stranger: true }]);
  expect(await bob.json('status')).toMatchObject({ messages: { queued: 0, strangers: 1 } });
  expect((await bob.run('chat', '--strangers')).stdout).toMatch(/^alice \(.{8}\): 1 message\n {2}\d{4}-\d\d-\d\d \d\d:\d\d alice: hello \\x1b\[31mred\n/);
  expect((await bob.json<{ contacts: unknown[] }>('contacts')).contacts).toEqual([]);

  await bob.json('chat', 'alice', 'who', 'are', 'you?');
  expect((await bob.json<Messages>('chat', '--strangers')).messages).toEqual([]);
  expect((await bob.json<Messages>('chat', '--history', '10')).messages).toMatchObject([{ direction: 'received', stranger: false }, { direction: 'sent', text: 'who are you?' }]);
});
