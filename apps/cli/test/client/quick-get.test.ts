import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { quickGet } from '../../src/client/quick-get.ts';

/** A server that answers every connection with these parts, and then ends it, or not. */
const answering = async (parts: readonly string[], end = true): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'quick-'));
  const path = join(directory, 's');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      for (const part of parts) socket.write(part);
      if (end) socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(async () => {
    server.close();
    await rm(directory, { recursive: true });
  });
  return path;
};

const get = (socket: string, more: { signal?: AbortSignal; deadlineMs?: number; maxBytes?: number } = {}) =>
  quickGet(socket, { path: '/v1/whoami', signal: new AbortController().signal, deadlineMs: 10_000, maxBytes: 1_000, ...more });

describe('quickGet', () => {
  test('reads an answer, in whatever pieces it comes', async () => {
    const answer = 'HTTP/1.1 409 Conflict\r\nContent-Length: 7\r\nx: y\r\n\r\n{"é":1';
    expect(await get(await answering(Array.from(answer)))).toBeDefined();
    expect(await get(await answering([answer]))).toEqual({ status: 409, text: '{"é":1' });
  });

  test.each([
    ['pieces of unknown length', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a compressed answer', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\n{}'],
  ])('leaves to a whole client: %s', async (_, answer) => expect(await get(await answering([answer]))).toBeUndefined());

  test.each([
    ['nothing', [], /stopped before it had answered/],
    ['an answer that ends early', ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}'], /stopped before it had answered/],
    ['another protocol', ['220 mail.example ESMTP\r\n'], /is not peerd's control interface/],
  ])('refuses %s', async (_, parts, message) => {
    await expect(get(await answering(parts))).rejects.toMatchObject({ code: 'daemon_unreachable', message: expect.stringMatching(message) as string });
  });

  test('ends with the signal, and when nothing is heard', async () => {
    const silent = await answering([], false);
    const controller = new AbortController();
    const asked = get(silent, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await expect(get(silent, { deadlineMs: 20 })).rejects.toThrow(/has not answered/);
  });

  test('takes no more than it may', async () => {
    expect(await get(await answering([`HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n${' '.repeat(5_000)}`]), { maxBytes: 10_000 })).toMatchObject({ status: 200 });
    await expect(get(await answering([`HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n${' '.repeat(5_000)}`], false))).resolves.toBeUndefined();
  });
});
