import { expect, test, vi, onTestFinished } from 'vitest';
import { StageClock } from '../src/index.ts';

/** A clock that the test moves. */
const manualClock = (): { advance: (ms: number) => void } => {
  let now = 1_000;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => spy.mockRestore());
  return { advance: (ms) => void (now += ms) };
};

test('operations that overlap count once, and gaps do not count', async () => {
  const { advance } = manualClock();
  const clock = new StageClock();
  const one = Promise.withResolvers<void>();
  const two = Promise.withResolvers<void>();
  const first = clock.time('write', () => one.promise);
  advance(10);
  const second = clock.time('write', () => two.promise);
  advance(10);
  one.resolve();
  await first;
  expect(clock.times.write).toBe(20);
  advance(5);
  two.resolve();
  await second;
  advance(100);
  await clock.time('write', async () => advance(3));
  expect(clock.times).toEqual({ read: 0, hash: 0, socket: 0, write: 28, limit: 0, compress: 0, paused: 0, waiting: 0 });
});

test('what is under way counts as far as it has come, and what fails counts too', async () => {
  const { advance } = manualClock();
  const clock = new StageClock();
  const failing = Promise.withResolvers<void>();
  const read = clock.time('read', () => failing.promise);
  advance(7);
  expect(clock.times.read).toBe(7);
  failing.reject(new Error('no'));
  await expect(read).rejects.toThrow('no');
  advance(7);
  clock.timeSync('hash', () => advance(2));
  clock.add('hash', 4);
  expect(clock.times).toMatchObject({ read: 7, hash: 6 });
});
