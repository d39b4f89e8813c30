import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Inflow } from '../../src/channel/inflow.ts';

const pair = async (): Promise<{ near: Socket; far: Socket }> => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = await accepted;
  onTestFinished(() => {
    near.destroy();
    far.destroy();
  });
  far.on('error', () => {});
  near.on('error', () => {});
  return { near, far };
};

const nothing = (): boolean => false;
const pattern = (bytes: number): Buffer => Buffer.alloc(bytes, Buffer.from(Uint8Array.from({ length: 251 }, (_, at) => at)));

const all = async (inflow: Inflow): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for (let piece = await inflow.next(); piece !== undefined; piece = await inflow.next()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
};

test('everything comes in order, then the end', async () => {
  const { near, far } = await pair();
  using inflow = new Inflow(near, nothing);
  const sent = pattern(3_000_000);
  far.end(sent);
  expect((await all(inflow)).equals(sent)).toBe(true);
  expect(await inflow.next()).toBeUndefined();
});

test('what is not asked for stays in the socket', async () => {
  const { near, far } = await pair();
  using inflow = new Inflow(near, nothing);
  const sent = pattern(64 << 20);
  far.end(sent);
  const first = await inflow.next();
  // The kernel takes what fits, and no more until somebody reads.
  for (let before = -1; before !== far.writableLength + near.bytesRead; await new Promise(setImmediate)) before = far.writableLength + near.bytesRead;
  expect(near.isPaused()).toBe(true);
  expect(near.readableLength).toBeLessThan(1 << 20);
  expect(far.writableLength).toBeGreaterThan(0);
  const rest = await all(inflow);
  expect(Buffer.concat([first ?? Buffer.alloc(0), rest]).equals(sent)).toBe(true);
});

test('pieces are absorbed only while somebody waits, and none is lost', async () => {
  const { near, far } = await pair();
  const sent = pattern(2_000_000);
  const taken: Buffer[] = [];
  const absorbed: Buffer[] = [];
  let isWaiting = false;
  let turn = 0;
  using inflow = new Inflow(near, (piece) => {
    expect(isWaiting).toBe(true);
    turn += 1;
    if (turn % 3 === 0) return false;
    taken.push(Buffer.from(piece));
    absorbed.push(piece);
    return true;
  });
  far.end(sent);
  for (;;) {
    isWaiting = true;
    const piece = await inflow.next();
    isWaiting = false;
    if (piece === undefined) break;
    taken.push(Buffer.from(piece));
    await new Promise(setImmediate);
  }
  expect(Buffer.concat(taken).equals(sent)).toBe(true);
  // Their memory went at once.
  expect(absorbed.every(({ length }) => length === 0)).toBe(true);
});

test('a socket that is destroyed ends the wait with an error; with its own, if it has one', async () => {
  for (const reason of [undefined, new Error('enough')]) {
    const { near } = await pair();
    using inflow = new Inflow(near, nothing);
    const waiting = inflow.next();
    near.destroy(reason);
    await expect(waiting).rejects.toThrow(reason?.message ?? 'the socket was closed');
    await expect(inflow.next()).rejects.toThrow();
  }
});

test('after it is left, the socket is paused and can be read away', async () => {
  const { near, far } = await pair();
  {
    using inflow = new Inflow(near, nothing);
    far.write('abc');
    expect(String(await inflow.next())).toBe('abc');
  }
  expect(near.isPaused()).toBe(true);
  far.end('def');
  const ended = once(near, 'end');
  near.resume();
  await ended;
});

test('what comes before anybody waits is not absorbed', async () => {
  const { near, far } = await pair();
  let absorbed = 0;
  using inflow = new Inflow(near, () => {
    absorbed += 1;
    return true;
  });
  near.resume();
  const came = once(near, 'data');
  far.write('abc');
  await came;
  expect(String(await inflow.next())).toBe('abc');
  expect(absorbed).toBe(0);
});
