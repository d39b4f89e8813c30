import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WriteBehind } from '../../src/receiver/write-behind.ts';

describe('WriteBehind', () => {
  test('whoever comes next waits until there is room in number and bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(6)), { maxLength: 40 }), async (jobs) => {
        const behind = new WriteBehind({ jobs: 4, bytes: 100 });
        let active = 0;
        let bytes = 0;
        let done = 0;
        for (const [size, turns] of jobs) {
          await behind.run(size, async () => {
            active += 1;
            bytes += size;
            for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
            active -= 1;
            bytes -= size;
            done += 1;
          });
          expect(active).toBeLessThan(4);
          expect(bytes).toBeLessThanOrEqual(100);
        }
        await behind.idle();
        expect(done).toBe(jobs.length);
      }),
    );
  });

  test('a failure is told to the next ones, until it is forgotten', async () => {
    const behind = new WriteBehind({ jobs: 4, bytes: 100 });
    await behind.run(1, () => Promise.reject(new Error('disk')));
    await behind.idle();
    expect(() => behind.assertHealthy()).toThrow('disk');
    await expect(behind.run(1, async () => undefined)).rejects.toThrow('disk');
    behind.forgetFailure();
    await behind.run(1, async () => undefined);
  });
});
