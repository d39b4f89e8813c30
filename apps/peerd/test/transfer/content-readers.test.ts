import type { Receiver, StageClock } from '@peerd/transfer';
import { expect, test } from 'vitest';
import type { DataConnection } from '../../src/peer/ports.ts';
import { ContentReaders, type Reading } from '../../src/transfer/content-readers.ts';

test('a connection without a receiver, or whose turn never comes, is ended unread', async () => {
  for (const reading of [{ receiver: undefined }, { receiver: {} as Receiver, admit: async () => {} }]) {
    const readers = new ContentReaders();
    const ends: string[] = [];
    const connection = { destroy: ({ code }: { code: string }) => void ends.push(code), frames: () => expect.unreachable() } as unknown as DataConnection;
    const rest: Reading = { receiver: undefined, clock: {} as StageClock, admit: async (take) => take(), onFrame: () => expect.unreachable(), onEnd: () => expect.unreachable() };
    readers.read(connection, { ...rest, ...reading });
    await readers.ended();
    expect(ends).toEqual(['unexpected_message']);
  }
});
