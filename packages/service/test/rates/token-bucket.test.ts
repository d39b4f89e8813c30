import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from '../../src/rates/token-bucket.ts';

test('a burst, then the rate', () => {
  const bucket = new TokenBucket({ burst: 2, perSecond: 4 }, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(249), bucket.take(250), bucket.take(250)]).toEqual([true, true, false, false, true, false]);
  expect([bucket.take(60_000, 3), bucket.take(60_000, 2), bucket.take(60_000)]).toEqual([false, true, false]);
});

test('never more than burst + time × rate, even when the clock steps back', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ step: fc.integer({ min: -50, max: 500 }), cost: fc.integer({ min: 1, max: 3 }) }), { maxLength: 100 }), (calls) => {
      const rate = { burst: 5, perSecond: 10 };
      const bucket = new TokenBucket(rate, 0);
      let now = 0;
      let latest = 0;
      let taken = 0;
      for (const { step, cost } of calls) {
        now += step;
        latest = Math.max(latest, now);
        if (bucket.take(now, cost)) taken += cost;
        expect(taken).toBeLessThanOrEqual(rate.burst + (latest * rate.perSecond) / 1_000 + 1e-6);
      }
    }),
  );
});

test('whoever borrows and waits as told never gets more than burst + rate × time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (burst, perSecond, pauses) => {
      const bucket = new TokenBucket({ burst, perSecond }, 0);
      let now = 0;
      for (const [index, pause] of pauses.entries()) {
        now += pause;
        now += bucket.borrow(now);
        // One millisecond of rounding per token at most.
        expect(index + 1).toBeLessThanOrEqual(burst + (now * perSecond) / 1_000 + 1);
      }
    }),
  );
});

test('what is borrowed is owed', () => {
  const bucket = new TokenBucket({ burst: 1, perSecond: 2 }, 0);
  expect([bucket.borrow(0), bucket.borrow(0), bucket.borrow(0)]).toEqual([0, 500, 1_000]);
  expect([bucket.take(1_499), bucket.take(1_500)]).toEqual([false, true]);
});
