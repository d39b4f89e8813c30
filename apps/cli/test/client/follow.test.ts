import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { type Followed, followEvents } from '../../src/client/follow.ts';
import { TestDaemon } from '../support/daemon.ts';
import { bob, transfer } from '../support/fixtures.ts';

const next = async (events: AsyncGenerator<Followed, never, void>): Promise<Followed> => (await events.next()).value;
const linked: Followed = { kind: 'link', peer: bob, state: 'linked' };

test('a daemon that is away at the start is an error at once', async () => {
  const events = followEvents('/nonexistent/peerd.sock', { signal: new AbortController().signal });
  await expect(events.next()).rejects.toMatchObject({ code: 'daemon_unreachable' });
});

test('connected, events, lost, connected again, events', async () => {
  await using daemon = await TestDaemon.start();
  const end = new AbortController();
  const events = followEvents(daemon.socket, { signal: end.signal });
  expect(await next(events)).toEqual({ kind: 'connected' });
  daemon.publish(linked);
  expect(await next(events)).toEqual(linked);
  await daemon.stop();
  expect(await next(events)).toEqual({ kind: 'lost' });
  await daemon.listen();
  expect(await next(events)).toEqual({ kind: 'connected' });
  expect(daemon.asked[1]?.headers['last-event-id']).toBe('1');
  daemon.publish({ kind: 'peers' });
  expect(await next(events)).toEqual({ kind: 'peers' });
  end.abort(new Error('enough'));
  await expect(events.next()).rejects.toThrow('enough');
});

test('a daemon that stays away is given up', async () => {
  await using daemon = await TestDaemon.start();
  const events = followEvents(daemon.socket, { signal: new AbortController().signal, patienceMs: 50 });
  await events.next();
  await daemon.stop();
  expect(await next(events)).toEqual({ kind: 'lost' });
  await expect(events.next()).rejects.toMatchObject({ code: 'daemon_unreachable', hint: expect.stringContaining('peerctl transfers') });
});

test('a daemon that hangs is lost', async () => {
  await using daemon = await TestDaemon.start();
  const events = followEvents(daemon.socket, { signal: new AbortController().signal, silenceMs: 50, patienceMs: 0 });
  expect(await next(events)).toEqual({ kind: 'connected' });
  expect(await next(events)).toEqual({ kind: 'lost' });
  await expect(events.next()).rejects.toMatchObject({ code: 'daemon_unreachable' });
});

test('events that arrive in pieces', async () => {
  await using daemon = await TestDaemon.start();
  await daemon.stop();
  const event: Followed = { kind: 'transfer', transfer: transfer({ note: 'né 👩‍👩‍👧' }) };
  const bytes = Buffer.from(`: hi\r\n\r\nid: 1\nevent: hello\ndata: {"lastId":1}\n\nid: 2\nevent: transfer\ndata: ${JSON.stringify(event)}\n\n`);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = (at: number): void => {
      if (at < bytes.length) response.write(bytes.subarray(at, at + 1), () => setImmediate(write, at + 1));
    };
    write(0);
  });
  await new Promise<void>((resolve) => server.listen(daemon.socket, resolve));
  const end = new AbortController();
  const events = followEvents(daemon.socket, { signal: end.signal });
  expect(await next(events)).toEqual({ kind: 'connected' });
  expect(await next(events)).toEqual(event);
  end.abort();
  await expect(events.next()).rejects.toThrow();
  server.closeAllConnections();
  server.close();
});

test('what is no event stream is an error that says so', async () => {
  await using daemon = await TestDaemon.start();
  await daemon.stop();
  const server = createServer((_request, response) => response.end('event: x\ndata: {"\n\n'));
  await new Promise<void>((resolve) => server.listen(daemon.socket, resolve));
  await expect(followEvents(daemon.socket, { signal: new AbortController().signal }).next()).rejects.toThrow(/not peerd's control interface/);
  server.close();
});
