import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullBucket, takeToken } from '../../src/net/token-bucket.ts';

test('whoever waits as told never gets more than burst + rate × time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (burst, perSecond, pauses) => {
      const rate = { burst, perSecond };
      let now = 0;
      let bucket = fullBucket(rate, now);
      for (const [index, pause] of pauses.entries()) {
        now += pause;
        const taken = takeToken(bucket, rate, now);
        bucket = taken.bucket;
        now += taken.waitMs;
        // One millisecond of rounding per token at most.
        expect(index + 1).toBeLessThanOrEqual(burst + (now * perSecond) / 1_000 + 1);
      }
    }),
  );
});

test('a clock that is set back gives nothing and takes nothing', () => {
  const rate = { burst: 2, perSecond: 1 };
  const { bucket } = takeToken(fullBucket(rate, 1_000), rate, 1_000);
  expect(takeToken(bucket, rate, 0)).toEqual({ bucket: { tokens: 0, at: 0 }, waitMs: 0 });
});
