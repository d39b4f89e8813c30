import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Slots } from '../../src/transfer/slots.ts';

const never = new AbortController().signal;

describe('slots', () => {
  test('so many in all and per peer; a full peer does not hold up the others; order is kept', async () => {
    const slots = new Slots({ total: 3, perPeer: 2 });
    const order: string[] = [];
    const take = async (name: string): Promise<Disposable> => {
      const slot = await slots.take(name[0] ?? '', never);
      order.push(name);
      return slot;
    };
    const [a1, a2] = [await take('a1'), await take('a2')];
    const waiting = [take('a3'), take('b1'), take('b2')];
    await turn();
    expect(order).toEqual(['a1', 'a2', 'b1']);
    a1[Symbol.dispose]();
    a1[Symbol.dispose]();
    await turn();
    expect(order).toEqual(['a1', 'a2', 'b1', 'a3']);
    a2[Symbol.dispose]();
    await turn();
    expect(order).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
    for (const slot of await Promise.all(waiting)) slot[Symbol.dispose]();
  });

  test('the highest rank goes first, the longest waiting of a rank before the others, and nobody is pushed out', async () => {
    const slots = new Slots({ total: 1, perPeer: 1 });
    const order: string[] = [];
    const take = async (name: string, rank: number): Promise<void> => {
      using _slot = await slots.take('a', never, rank);
      order.push(name);
      await turn();
    };
    await Promise.all([take('running', 0), take('low', 0), take('normal', 1), take('high', 2), take('second low', 0), take('second high', 2)]);
    expect(order).toEqual(['running', 'high', 'second high', 'normal', 'low', 'second low']);
  });

  test('one that gives up waiting takes nothing', async () => {
    const slots = new Slots({ total: 1, perPeer: 1 });
    const first = await slots.take('a', never);
    const giveUp = new AbortController();
    const waiting = slots.take('b', giveUp.signal);
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(slots.take('b', giveUp.signal)).rejects.toThrow('enough');
    first[Symbol.dispose]();
    (await slots.take('c', never))[Symbol.dispose]();
  });

  test('any order of takes, releases and aborts keeps the bounds, and nobody waits while there is room', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('take', 'release', 'abort'), fc.constantFrom('a', 'b', 'c')), { maxLength: 40 }), async (actions) => {
        const slots = new Slots({ total: 3, perPeer: 2 });
        const held: { peer: string; slot: Disposable }[] = [];
        const waiting = new Set<{ peer: string; abort: AbortController }>();
        for (const [action, peer] of actions) {
          if (action === 'take') {
            const request = { peer, abort: new AbortController() };
            waiting.add(request);
            slots.take(peer, request.abort.signal).then(
              (slot) => {
                waiting.delete(request);
                held.push({ peer, slot });
              },
              () => waiting.delete(request),
            );
          } else if (action === 'release') {
            held.splice(held.findIndex((entry) => entry.peer === peer), 1)[0]?.slot[Symbol.dispose]();
          } else {
            [...waiting].find((request) => request.peer === peer)?.abort.abort(new Error('no'));
          }
          await turn();
          const count = (of: string): number => held.filter((entry) => entry.peer === of).length;
          expect(held.length).toBeLessThanOrEqual(3);
          for (const of of ['a', 'b', 'c']) expect(count(of)).toBeLessThanOrEqual(2);
          if (held.length < 3) for (const request of waiting) expect(count(request.peer)).toBe(2);
        }
      }),
      { numRuns: 200 },
    );
  });
});
