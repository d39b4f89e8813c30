import { createRegistry } from '@peerd/service';
import { expect, test, vi } from 'vitest';
import { Pacing } from '../../src/net/pacing.ts';

const setup = () => {
  const lines: object[] = [];
  const registry = createRegistry();
  const at = { ms: 0 };
  const pacing = new Pacing({ registry, logger: { warn: (line: object) => void lines.push(line) } as never, now: () => at.ms });
  const counted = async (what: string): Promise<number> => {
    const metric = await registry.getSingleMetric('peerd_paced_seconds_total')?.get();
    return metric?.values.find(({ labels }) => labels['what'] === what)?.value ?? Number.NaN;
  };
  return { pacing, lines, at, counted };
};

test('each wait counts for what is waited with; who stays within the rate waits for nothing', async () => {
  const { pacing, counted } = setup();
  const pace = pacing.pace('questions', { burst: 2, perSecond: 100 });
  const link = { peer: 'a', signal: new AbortController().signal };
  for (let count = 0; count < 2; count += 1) await pace.turn(link);
  expect([await counted('questions'), pacing.waitedMs(link)]).toEqual([0, 0]);
  for (let count = 0; count < 3; count += 1) await pace.turn(link);
  const seconds = await counted('questions');
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(0.1);
  expect(pacing.waitedMs(link)).toBeCloseTo(seconds * 1_000);
  expect(pacing.waitedMs({ ...link })).toBe(0);
  expect(await counted('offers')).toBe(0);
});

test('a link that waits for seconds is told of, once in a minute', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { pacing, lines, at } = setup();
    const end = new AbortController();
    const link = { peer: 'a', signal: end.signal };
    const pace = pacing.pace('idle', { burst: 1, perSecond: 1 });
    // The time stands still, so each waits for a second longer.
    const turns = Array.from({ length: 4 }, () => pace.turn(link));
    // 0 + 1 + 2 + 3 s
    expect(lines).toEqual([{ peer: 'a', what: 'idle', seconds: 6 }]);
    turns.push(pace.turn(link), pace.turn(link));
    at.ms = 59_999;
    turns.push(pace.turn(link));
    expect(lines).toHaveLength(1);
    at.ms = 60_000;
    turns.push(pace.turn(link));
    expect(lines.slice(1)).toEqual([{ peer: 'a', what: 'idle', seconds: 4 + 5 + 6 + 7 }]);
    const all = Promise.allSettled(turns);
    end.abort(new Error('over'));
    expect((await all).map(({ status }) => status)).toEqual(['fulfilled', ...Array.from({ length: 7 }, () => 'rejected')]);
  } finally {
    vi.useRealTimers();
  }
});
