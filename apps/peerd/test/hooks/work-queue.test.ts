import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WorkQueue } from '../../src/hooks/work-queue.ts';

test('never more than the limits, and everything that was taken is run once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean(), { maxLength: 40 }), async (concurrency, maxWaiting, steps) => {
      const queue = new WorkQueue({ concurrency, maxWaiting });
      const open: (() => void)[] = [];
      let running = 0;
      let finished = 0;
      let taken = 0;
      for (const add of steps) {
        if (add) {
          const room = running < concurrency || taken - finished - running < maxWaiting;
          const accepted = queue.add(async () => {
            running += 1;
            await new Promise<void>((resolve) => open.push(resolve));
            running -= 1;
            finished += 1;
          });
          expect(accepted).toBe(room);
          if (accepted) taken += 1;
        } else {
          open.shift()?.();
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(running).toBeLessThanOrEqual(concurrency);
      }
      const closing = queue.close();
      for (let release = open.shift(); release; release = open.shift()) {
        release();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(finished + (await closing)).toBe(taken);
      expect(queue.add(async () => {})).toBe(false);
    }),
  );
});
