import { expect, test } from 'vitest';
import type { Link } from '../../src/peer/ports.ts';
import { Posts } from '../../src/transfer/posts.ts';

test('a peer that talks and does not read: 512 answers wait for it, then its messages are not read', async () => {
  const posts = new Posts();
  const taken: (() => void)[] = [];
  const link = { send: () => new Promise<void>((resolve) => taken.push(resolve)) } as unknown as Link;
  for (let count = 0; count < 512; count += 1) posts.post(link, Buffer.alloc(1));
  posts.check(link);
  posts.post(link, Buffer.alloc(1));
  expect(() => posts.check(link)).toThrow(expect.objectContaining({ code: 'slow_consumer' }));
  const room = posts.room(link);
  for (const take of taken) take();
  await room;
  posts.check(link);
});
