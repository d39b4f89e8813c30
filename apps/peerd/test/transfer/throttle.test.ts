import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Throttle } from '../../src/transfer/throttle.ts';

describe('throttle', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('at once, then at most once per interval, and once more for what came last', () => {
    let calls = 0;
    const throttle = new Throttle(250, () => (calls += 1));
    for (let count = 0; count < 10; count += 1) throttle.touch();
    expect(calls).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(calls).toBe(2);
    throttle.touch();
    expect(calls).toBe(3);
    throttle.touch();
    throttle.stop();
    vi.advanceTimersByTime(1_000);
    expect([calls, vi.getTimerCount()]).toEqual([3, 0]);
  });
});
