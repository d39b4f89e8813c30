import { lstat, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chunkFrameType, encodeChunkHeader, encodeHole, type Frame, frameHeaderBytes, holeFrameType } from '@peerd/protocol';
import { expect, onTestFinished, test } from 'vitest';
import type { Receiver } from '../../src/index.ts';
import { hash } from '../../src/hashing.ts';
import { content } from '../support/content.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { chunkSize, flow, offer, type Offered, openReceiver, place } from '../support/transfer.ts';

const never = new AbortController().signal;
const chunks = 64;
const island = 20;

interface World {
  readonly state: string;
  readonly destination: string;
  readonly source: string;
  readonly offered: Offered;
  readonly data: Buffer;
}

const world = async (): Promise<World> => {
  const root = await temporaryDirectory('memory');
  const [source, state, destination] = ['source', 'state', 'destination'].map((part) => join(root, part)) as [string, string, string];
  for (const path of [source, state, destination]) await mkdir(path);
  const data = Buffer.alloc(chunks * chunkSize + 5);
  content(chunkSize).copy(data, island * chunkSize);
  await writeFile(join(source, 'hollow'), data);
  await writeFile(join(source, 'small'), Buffer.alloc(9));
  const offered = await offer(state, [join(source, 'hollow'), join(source, 'small')]);
  onTestFinished(async () => {
    await offered.sender.close();
    await offered.receiver.close();
  });
  return { source, state, destination, offered, data };
};

const opened = async ({ state, destination, offered }: World): Promise<Receiver> => {
  const receiver = await openReceiver(state, destination, offered);
  onTestFinished(() => receiver.close());
  await receiver.verify(never);
  return receiver;
};

const hole = (index: number): Frame => ({ type: holeFrameType, payload: encodeHole(index).subarray(frameHeaderBytes) });
const whole = (index: number, data: Buffer): Frame => ({ type: chunkFrameType, payload: Buffer.concat([encodeChunkHeader(index, hash(data), data.length).subarray(frameHeaderBytes), data]) });
const staged = (where: World, name = 'hollow'): string => join(where.destination, '.peerd-test', 't', name);
const onDisk = async (path: string): Promise<number> => (await stat(path)).blocks * 512;

const finished = async (where: World, receiver: Receiver): Promise<void> => {
  const { contentRoot } = await flow({ state: where.state, offered: where.offered, receiver });
  await receiver.complete(contentRoot);
  expect(receiver.bytesDone).toBe(where.offered.scan.bytes);
  await place(receiver);
  expect((await readFile(join(where.destination, 'hollow'))).equals(where.data)).toBe(true);
  expect(await readFile(join(where.destination, 'small'))).toEqual(Buffer.alloc(9));
};

test('holes are holes again, and count as chunks', async () => {
  const where = await world();
  const receiver = await opened(where);
  await finished(where, receiver);
  expect(receiver.counters).toMatchObject({ received: chunks + 2, rewritten: 0 });
  expect(await onDisk(join(where.destination, 'hollow'))).toBeLessThanOrEqual(2 * chunkSize);
});

test('zeros that come in full are holes too', async () => {
  const where = await world();
  const receiver = await opened(where);
  for (let index = 0; index < island; index += 1) await receiver.frame(whole(index, Buffer.alloc(chunkSize)));
  await finished(where, receiver);
  expect(await onDisk(join(where.destination, 'hollow'))).toBeLessThanOrEqual(2 * chunkSize);
});

test('after a restart holes that came are there, the others come, and all stay holes', async () => {
  const where = await world();
  const receiver = await opened(where);
  for (let index = 0; index < 30; index += 1) if (index !== island) await receiver.frame(hole(index));
  await receiver.close();
  const again = await opened(where);
  expect(again.counters.reused).toBe(29);
  await finished(where, again);
  expect(again.counters).toEqual({ received: chunks + 2, reused: 29, rewritten: 0 });
  expect(await onDisk(join(where.destination, 'hollow'))).toBeLessThanOrEqual(2 * chunkSize);
});

test('what an interrupted run has left where zeros belong is overwritten', async () => {
  const where = await world();
  await (await opened(where)).close();
  await writeFile(staged(where), content(40 * chunkSize + 100, 9));
  const receiver = await opened(where);
  expect(receiver.counters.reused).toBe(0);
  await finished(where, receiver);
});

test('zeros over a chunk of other content that was there before', async () => {
  const where = await world();
  const receiver = await opened(where);
  await receiver.frame(whole(3, content(chunkSize, 4)));
  await receiver.verify(never);
  await receiver.frame(hole(3));
  await receiver.close();
  expect((await readFile(staged(where))).subarray(3 * chunkSize, 4 * chunkSize)).toEqual(Buffer.alloc(chunkSize));
  expect((await opened(where)).counters).toEqual({ received: 2, reused: 1, rewritten: 1 });
});

test('a file has its size from its first chunk on, and a hole in a small file is written', async () => {
  const where = await world();
  const receiver = await opened(where);
  await receiver.frame(hole(0));
  await receiver.frame(hole(chunks + 1));
  await receiver.close();
  expect((await lstat(staged(where))).size).toBe(where.data.length);
  expect(await readFile(staged(where, 'small'))).toEqual(Buffer.alloc(9));
});

test('refused: a hole that was not announced, one that came before, one of a wrong size', async () => {
  const where = await world();
  const receiver = await opened(where);
  await receiver.frame(hole(7));
  for (const frame of [hole(7), hole(chunks + 2), { type: holeFrameType, payload: Buffer.alloc(9) }]) await expect(receiver.frame(frame)).rejects.toMatchObject({ code: 'malformed_frame' });
  receiver.entryFailed(0, 'source_changed', 'it changed');
  await receiver.frame(hole(8));
  await receiver.close();
  expect(receiver.counters.received).toBe(1);
});
