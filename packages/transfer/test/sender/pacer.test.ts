import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pacer, type PacerClock } from '../../src/sender/pacer.ts';

/** Time that passes only when everybody sleeps. */
class Simulated implements PacerClock {
  time = 0;
  readonly #sleepers = new Set<{ at: number; wake: () => void }>();

  now(): number {
    return this.time;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.time + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      });
    });
  }

  /** Until nobody sleeps. */
  async run(): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      const [first] = [...this.#sleepers].sort((a, b) => a.at - b.at);
      if (!first) return;
      this.#sleepers.delete(first);
      this.time = Math.max(this.time, first.at);
      first.wake();
    }
  }
}

const never = new AbortController().signal;

describe('Pacer', () => {
  test('what goes stays below the rate, at every moment, and does not idle', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 10_000_000 }), fc.array(fc.array(fc.integer({ min: 0, max: 1_048_576 }), { maxLength: 8 }), { maxLength: 5 }), async (rate, senders) => {
        const clock = new Simulated();
        const pacer = new Pacer(rate, clock);
        const gone: { at: number; bytes: number }[] = [];
        const sending = senders.map(async (pieces) => {
          for (const bytes of pieces) {
            await pacer.turn(bytes, never);
            gone.push({ at: clock.time, bytes });
          }
        });
        await clock.run();
        await Promise.all(sending);
        let before = 0;
        for (const { at, bytes } of gone) {
          // Each goes at the moment at which all before it are paid for.
          expect(at).toBeCloseTo((before / rate) * 1_000, 3);
          before += bytes;
        }
      }),
      { numRuns: 200 },
    );
  });

  test('those that share one take turns', async () => {
    const clock = new Simulated();
    const pacer = new Pacer(1_000, clock);
    const order: string[] = [];
    const send = async (name: string): Promise<void> => {
      for (let piece = 0; piece < 3; piece += 1) {
        await pacer.turn(500, never);
        order.push(name);
      }
    };
    const sending = [send('a'), send('b')];
    await clock.run();
    await Promise.all(sending);
    expect(order.join('')).toBe('ababab');
  });

  test('what is urgent waits for its kind only, and the rest pays for it', async () => {
    const clock = new Simulated();
    const pacer = new Pacer(1_000, clock);
    const gone: [string, number][] = [];
    const send = async (name: string, turns: Pick<Pacer, 'turn'>, bytes: number, pieces: number): Promise<void> => {
      for (let piece = 0; piece < pieces; piece += 1) {
        await turns.turn(bytes, never);
        gone.push([name, clock.time]);
      }
    };
    const sending = [send('large', pacer, 10_000, 3), send('small', pacer.urgent, 500, 2)];
    await clock.run();
    await Promise.all(sending);
    expect(gone.slice(0, 3)).toEqual([['large', 0], ['small', 0], ['small', 500]]);
    const last = [pacer.turn(1, never).then(() => gone.push(['last', clock.time]))];
    await clock.run();
    await Promise.all(last);
    // Everything that has gone before, at the rate.
    expect(gone.at(-1)).toEqual(['last', 31_000]);
  });

  test('who gives up is not waited for', async () => {
    const clock = new Simulated();
    const pacer = new Pacer(1_000, clock);
    const giveUp = new AbortController();
    await pacer.turn(1_000, never);
    const givenUp = pacer.turn(1_000_000, giveUp.signal);
    giveUp.abort(new Error('enough'));
    await expect(givenUp).rejects.toThrow('enough');
    const next = pacer.turn(1, never);
    await clock.run();
    await next;
    expect(clock.time).toBe(1_000);
    await expect(pacer.turn(1, giveUp.signal)).rejects.toThrow('enough');
  });
});
