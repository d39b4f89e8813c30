import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { PeerdError } from '@peerd/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { controlWorld } from '../control-world.ts';

/** Reads blocks of an event stream as `id event`, or the comment. */
const blocks = async function* (response: IncomingMessage): AsyncGenerator<string, void, void> {
  let text = '';
  for await (const part of response as AsyncIterable<Buffer>) {
    text += part.toString();
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield text.slice(0, end).replace(/^id: (\d+)\nevent: (\w+)\ndata: .*$/, '$1 $2');
      text = text.slice(end + 2);
    }
  }
};

const take = async (stream: AsyncGenerator<string, void, void>, count: number): Promise<string[]> => {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
};

describe('GET /v1/events', () => {
  test('hello first, then events as they happen', async () => {
    const world = await controlWorld();
    world.hub.publish({ kind: 'peers' });
    const response = await world.events();
    expect(response.headers['content-type']).toBe('text/event-stream');
    const stream = blocks(response);
    expect(await take(stream, 1)).toEqual(['100 hello']);
    world.hub.publish({ kind: 'rendezvous', address: 'h:1', state: 'registered' });
    expect(await take(stream, 1)).toEqual(['101 rendezvous']);
  });

  test('Last-Event-ID brings what was missed, except progress', async () => {
    const world = await controlWorld();
    world.hub.publish({ kind: 'peers' });
    const first = await world.events();
    expect(await take(blocks(first), 1)).toEqual(['100 hello']);
    world.hub.publish({ kind: 'peers' });
    world.hub.publish({ kind: 'progress', id: 't', bytes: 1, bytesDone: 1, chunks: { sent: 0, received: 0, reused: 0, rewritten: 0, chunkSize: 1 } });
    world.hub.publish({ kind: 'peers' });
    const again = blocks(await world.events('100'));
    expect(await take(again, 3)).toEqual(['100 hello', '101 peers', '103 peers']);
    world.hub.publish({ kind: 'peers' });
    expect(await take(again, 1)).toEqual(['104 peers']);
  });

  test('reset where the past is not known any more: overwritten, of another process, nonsense', async () => {
    const world = await controlWorld({ hub: { maxKept: 2 } });
    for (let count = 0; count < 4; count += 1) world.hub.publish({ kind: 'peers' });
    expect(await take(blocks(await world.events('101')), 3)).toEqual(['101 hello', '102 peers', '103 peers']);
    for (const id of ['100', '7', '104', 'x']) expect(await take(blocks(await world.events(id)), 2)).toEqual(['103 hello', '103 reset']);
  });

  test('who comes back for everything that is kept is not cut off for not reading it at once', async () => {
    const world = await controlWorld();
    const message = { id: 'm', peer: { id: 'b'.repeat(52), name: 'bob' }, direction: 'received', text: 'x'.repeat(60_000), sentAt: 1, state: 'delivered', stranger: false } as const;
    for (let count = 0; count < 100; count += 1) world.hub.publish({ kind: 'message', message });
    let since = 100;
    let stream = blocks(await world.events(`${since}`));
    while ((await take(stream, 2)).at(-1) === '199 reset') {
      since += 1;
      stream = blocks(await world.events(`${since}`));
    }
    world.hub.publish({ kind: 'peers' });
    const rest = Array.from({ length: 198 - since }, (_, index) => `${since + 2 + index} message`);
    expect(await take(stream, rest.length + 1)).toEqual([...rest, '200 peers']);
  });

  test('a comment keeps the connection known to be alive', async () => {
    const world = await controlWorld({ events: { commentMs: 5 } });
    expect(await take(blocks(await world.events()), 3)).toEqual(['99 hello', ': still here', ': still here']);
  });

  test('a subscriber that does not read is cut off; the others go on', async () => {
    const world = await controlWorld({ events: { maxUnreadBytes: 256 * 1_024 } });
    const slow = connect(world.socket);
    onTestFinished(() => void slow.destroy());
    slow.pause();
    slow.on('error', () => {});
    slow.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await vi.waitFor(() => expect(world.hub.subscribers).toBe(1), { timeout: 20_000 });
    const closed = once(slow, 'close');
    const reader = blocks(await world.events());
    let published = 0;
    const reading = (async () => {
      for await (const _ of reader) if (published > 0 && world.hub.subscribers === 1) return;
    })();
    while (world.hub.subscribers === 2) {
      published += 1;
      world.hub.publish({ kind: 'rendezvous', address: 'x'.repeat(16_384), state: 'registered' });
      // Far more than any socket buffer: it must have been cut by then.
      expect(published).toBeLessThan(10_000);
      await new Promise(setImmediate);
    }
    world.hub.publish({ kind: 'peers' });
    await reading;
    slow.resume();
    await closed;
  });

  test('ends when the daemon stops, and nothing is left of a subscriber that went', async () => {
    const world = await controlWorld();
    const gone = await world.events();
    await take(blocks(gone), 1);
    gone.destroy();
    await vi.waitFor(() => expect(world.hub.subscribers).toBe(0), { timeout: 20_000 });
    const stays = blocks(await world.events());
    expect(await take(stays, 1)).toHaveLength(1);
    world.stopping.abort(new PeerdError('shutting_down', 'the daemon is stopping'));
    expect(await take(stays, 1)).toEqual([]);
    await world.close();
    expect(world.hub.subscribers).toBe(0);
  });
});
