import { KiB, type PayloadRoom, type PeerId } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { ContentMemory } from '../../src/peer/content-memory.ts';
import { memoryBytesFor } from '../../src/peer/payload-pool.ts';
import { failureOf } from '../support.ts';

const never = new AbortController().signal;
/** What one frame takes. */
const unit = memoryBytesFor(100 * KiB);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const peers = ['a', 'b', 'c'] as PeerId[];

/** Three frames of a peer, of which one is its own, and three beyond their own of all. */
const small = (onWait = (): void => {}): ContentMemory => new ContentMemory(onWait, { peer: 3 * unit, own: unit, shared: 3 * unit, kept: 2 * unit });

/** Asks for so many rooms. @returns those that were given so far */
const ask = (memory: ContentMemory, peer: PeerId, count: number, signal: AbortSignal = never): PayloadRoom[] => {
  const given: PayloadRoom[] = [];
  const open = memory.open(peer);
  for (let index = 0; index < count; index += 1) void open.room(100 * KiB, 0, signal).then((room) => given.push(room), () => {});
  return given;
};

test('a peer has so much, and waits for its own frames only', async () => {
  let waits = 0;
  const memory = small(() => (waits += 1));
  const given = ask(memory, 'a', 5);
  await turn();
  expect([given.length, memory.held, waits]).toEqual([3, 3 * unit, 2]);
  given[0]?.release();
  given[0]?.release();
  await turn();
  expect([given.length, memory.held]).toEqual([4, 3 * unit]);
  for (const room of given) room.release();
  await turn();
  for (const room of given) room.release();
  expect([given.length, memory.held]).toEqual([5, 0]);
});

test('all together have so much, each has room of its own, and what comes free goes round', async () => {
  const memory = small();
  const [a = [], b = [], c = []] = peers.map((peer) => ask(memory, peer, 3));
  await turn();
  // 3 of one, and 2 beyond the own one of the next are one too many; the last one has its own.
  expect([a.length, b.length, c.length, memory.held]).toEqual([3, 2, 1, 6 * unit]);
  a[0]?.release();
  await turn();
  expect([a.length, b.length, c.length]).toEqual([3, 3, 1]);
  a[1]?.release();
  await turn();
  expect([a.length, b.length, c.length]).toEqual([3, 3, 2]);
  c[0]?.release();
  await turn();
  expect([c.length, memory.held]).toEqual([3, 6 * unit]);
});

test('who is gone does not wait, nor keep others waiting', async () => {
  const memory = small();
  const leaving = new AbortController();
  const held = ask(memory, 'a', 3);
  await turn();
  const open = memory.open('a');
  // More than comes free at once, and behind it one that fits.
  const waiting = failureOf(open.room(100 * KiB, unit, leaving.signal));
  held[0]?.release();
  const next = ask(memory, 'a', 1);
  await turn();
  expect(next).toHaveLength(0);
  leaving.abort('gone');
  expect(await waiting).toBe('gone');
  await turn();
  expect(next).toHaveLength(1);
  expect(await failureOf(open.room(1, 0, leaving.signal))).toBe('gone');
});

test('memory serves again while somebody reads, and is let go with the last reader', async () => {
  const memory = small();
  const [one, other] = [memory.open('a'), memory.open('b')];
  const room = await one.room(100 * KiB, 0, never);
  room.release();
  expect((await other.room(120 * KiB, 0, never)).memory).toBe(room.memory);
  const last = await one.room(100 * KiB, 0, never);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  other[Symbol.dispose]();
  expect(last.memory).toHaveLength(unit);
  last.release();
  expect(last.memory).toHaveLength(0);
});
