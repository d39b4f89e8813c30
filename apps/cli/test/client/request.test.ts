import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { open } from '../../src/client/request.ts';

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

const silence = new AbortController().signal;
const ask = (socket: string, more: Partial<Parameters<typeof open>[1]> = {}): ReturnType<typeof open> => open(socket, { method: 'GET', path: '/v1/whoami', signal: silence, deadlineMs: 10_000, ...more });
const read = async (socket: string): Promise<{ status: number; text: string }> => {
  const { status, body } = await ask(socket);
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return { status, text: Buffer.concat(parts).toString('utf8') };
};

describe('open', () => {
  test('reads an answer, in whatever pieces it comes', async () => {
    const answer = 'HTTP/1.1 409 Conflict\r\nContent-Length: 7\r\nx: y\r\n\r\n{"é":1';
    expect(await read(await answering(Array.from(answer)))).toEqual({ status: 409, text: '{"é":1' });
    expect(await read(await answering([answer], false))).toEqual({ status: 409, text: '{"é":1' });
  });

  test('what a server of node:http gets and says is what was meant', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'request-'));
    const path = join(directory, 's');
    const server = createHttpServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        // Without a length: in chunks.
        response.write(`${request.method} ${request.url} ${request.headers['content-type']} ${String(request.headers['last-event-id'])} `);
        response.end(Buffer.concat(parts));
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(async () => {
      server.close();
      await rm(directory, { recursive: true });
    });
    const { status, body } = await ask(path, { method: 'POST', path: '/v1/x?y=%20', body: { 'é': 'ö'.repeat(100_000) }, headers: { 'last-event-id': '7' } });
    const parts: Buffer[] = [];
    for await (const part of body) parts.push(part);
    expect([status, Buffer.concat(parts).toString()]).toEqual([200, `POST /v1/x?y=%20 application/json 7 ${JSON.stringify({ 'é': 'ö'.repeat(100_000) })}`]);
  });

  test.each([
    ['nothing', [], /stopped before it had answered/],
    ['another protocol', ['220 mail.example ESMTP\r\n'], /is not peerd's control interface/],
  ])('refuses %s', async (_, parts, message) => {
    await expect(ask(await answering(parts))).rejects.toMatchObject({ code: 'daemon_unreachable', message: expect.stringMatching(message) as string });
  });

  test('refuses an answer that ends early', async () => {
    await expect(read(await answering(['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}']))).rejects.toMatchObject({ code: 'daemon_unreachable', message: expect.stringMatching(/stopped before/) as string });
  });

  test('ends with the signal, before the answer and within it, and when nothing is heard', async () => {
    const silent = await answering([], false);
    const before = new AbortController();
    const asked = ask(silent, { signal: before.signal });
    before.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    const within = new AbortController();
    const { body } = await ask(await answering(['HTTP/1.1 200 OK\r\n\r\nab'], false), { signal: within.signal });
    const pieces = body[Symbol.asyncIterator]();
    expect((await pieces.next()).value?.toString()).toBe('ab');
    const next = pieces.next();
    within.abort(new Error('enough of it'));
    await expect(next).rejects.toThrow('enough of it');
    await expect(ask(silent, { deadlineMs: 20 })).rejects.toThrow(/has not answered/);
  });
});
