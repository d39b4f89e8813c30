import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { isQuick, Lanes, type Work } from '../../src/transfer/lanes.ts';

const never = new AbortController().signal;
const KiB = 1024;
const TiB = KiB ** 4;
const work = (change: Partial<Work> = {}): Work => ({ peer: 'a', entries: 1, bytes: KiB, bytesDone: 0, limitRate: undefined, ...change });

describe('lanes', () => {
  test.each([
    ['a small file', {}, true],
    ['the end of a large one', { bytes: TiB, bytesDone: TiB - KiB }, true],
    ['a large file', { bytes: TiB }, false],
    ['very many empty ones', { entries: 100_000, bytes: 0 }, false],
    ['a small one at a rate that it is over with soon', { limitRate: KiB }, true],
    ['a small one at a very low rate', { limitRate: 16 }, false],
  ])('%s: %j is quick: %s', (_, change, quick) => expect(isQuick(work(change))).toBe(quick));

  test('what is small waits for nothing large, and the other way round', async () => {
    const lanes = new Lanes({ quick: { total: 1, perPeer: 1 }, other: { total: 1, perPeer: 1 } });
    const order: string[] = [];
    const take = async (name: string, change?: Partial<Work>): Promise<Disposable> => {
      const slot = await lanes.take(work(change), never);
      order.push(name);
      return slot;
    };
    const large = await take('large', { bytes: TiB });
    const waiting = [take('large too', { bytes: TiB })];
    const small = await take('small');
    waiting.push(take('small too'));
    await turn();
    expect(order).toEqual(['large', 'small']);
    small[Symbol.dispose]();
    await turn();
    expect(order).toEqual(['large', 'small', 'small too']);
    large[Symbol.dispose]();
    await Promise.all(waiting);
    expect(order).toEqual(['large', 'small', 'small too', 'large too']);
  });
});
