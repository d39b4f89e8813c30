import type { PeerdError } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { Outbox } from '../../src/connection/outbox.ts';
import { ManualClock } from '../support/clock.ts';

/** A socket that takes `room` frames until it is drained. */
class Pipe {
  readonly sent: number[] = [];
  readonly queuedBytes = 0;
  readonly #end = new AbortController();
  readonly signal = this.#end.signal;
  room = 0;
  #drained = Promise.withResolvers<void>();

  send(frame: Uint8Array): boolean {
    this.sent.push(frame[0] ?? 0);
    this.room -= 1;
    return this.room > 0;
  }

  drained(): Promise<void> {
    this.#drained = Promise.withResolvers();
    return this.#drained.promise;
  }

  async drain(room: number): Promise<void> {
    this.room = room;
    this.#drained.resolve();
    await new Promise(setImmediate);
  }

  async end(): Promise<void> {
    this.#end.abort(new Error('ended'));
    this.#drained.reject(new Error('ended'));
    await new Promise(setImmediate);
  }
}

const frame = (number: number, length = 10): Uint8Array => Buffer.alloc(length, number);
const setUp = () => {
  const pipe = new Pipe();
  const clock = new ManualClock();
  const slow: string[] = [];
  const outbox = new Outbox(pipe, { maxBytes: 100, stallMs: 1_000 }, clock, (reason: PeerdError) => slow.push(reason.code));
  return { pipe, clock, slow, outbox };
};

describe('outbox', () => {
  test('keeps the order and waits while the socket is full', async () => {
    const { pipe, outbox, slow } = setUp();
    pipe.room = 2;
    for (let number = 1; number <= 5; number += 1) outbox.send(frame(number));
    expect([pipe.sent, outbox.bytes]).toEqual([[1, 2], 30]);
    await pipe.drain(2);
    expect(pipe.sent).toEqual([1, 2, 3, 4]);
    await pipe.drain(9);
    expect([pipe.sent, outbox.bytes, slow]).toEqual([[1, 2, 3, 4, 5], 0, []]);
  });

  test('more than the bound: slow, once, and nothing is kept', () => {
    const { pipe, outbox, slow } = setUp();
    outbox.send(frame(1));
    outbox.send(frame(2, 100));
    expect([slow, outbox.bytes]).toEqual([[], 100]);
    outbox.send(frame(3, 1));
    expect([slow, outbox.bytes, pipe.sent]).toEqual([['slow_consumer'], 0, [1]]);
  });

  test('a snapshot that comes while another one waits does count', () => {
    const { outbox, slow } = setUp();
    outbox.send(frame(1));
    outbox.sendSnapshot([frame(2, 90), frame(3, 90)]);
    outbox.sendSnapshot([frame(4, 60)]);
    expect(slow).toEqual([]);
    outbox.sendSnapshot([frame(5, 60)]);
    expect([slow, outbox.bytes]).toEqual([['slow_consumer'], 0]);
  });

  test('a snapshot of any size does not count, and is in its place among the deltas', async () => {
    const { pipe, outbox, slow } = setUp();
    outbox.send(frame(1));
    outbox.sendSnapshot([frame(2, 90), frame(3, 90)]);
    outbox.send(frame(4, 90));
    expect([outbox.sendingSnapshot, slow]).toEqual([true, []]);
    await pipe.drain(1);
    expect([pipe.sent, outbox.sendingSnapshot]).toEqual([[1, 2], true]);
    await pipe.drain(1);
    expect(outbox.sendingSnapshot).toBe(false);
    await pipe.drain(1);
    expect([pipe.sent, slow]).toEqual([[1, 2, 3, 4], []]);
  });

  test('a socket that takes nothing for too long is slow, however little waits', async () => {
    const { pipe, clock, outbox, slow } = setUp();
    outbox.send(frame(1));
    clock.advance(999);
    await pipe.drain(1);
    outbox.send(frame(2));
    clock.advance(999);
    expect(slow).toEqual([]);
    clock.advance(1);
    expect(slow).toEqual(['slow_consumer']);
  });

  test('the end of the connection leaves neither bytes nor timers', async () => {
    const { pipe, clock, outbox, slow } = setUp();
    outbox.send(frame(1));
    outbox.send(frame(2));
    await pipe.end();
    outbox.send(frame(3));
    expect([outbox.bytes, clock.timers, slow, pipe.sent]).toEqual([0, 0, [], [1]]);
  });
});
