import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { race } from '../../src/peer/dial-race.ts';
import { failureOf } from '../support.ts';

/** Attempts that end when the test says so, or when their signal aborts. */
const attempts = () => {
  const log: string[] = [];
  const open = new Map<string, PromiseWithResolvers<string>>();
  const started = new Map<string, PromiseWithResolvers<void>>();
  const startOf = (address: string): PromiseWithResolvers<void> => {
    const known = started.get(address) ?? Promise.withResolvers<void>();
    started.set(address, known);
    return known;
  };
  return {
    log,
    discarded: [] as string[],
    hasStarted: (address: string): Promise<void> => startOf(address).promise,
    succeed: (address: string): void => open.get(address)?.resolve(`linked to ${address}`),
    fail: (address: string): void => open.get(address)?.reject(new Error(address)),
    attempt: async (address: string, signal: AbortSignal): Promise<string> => {
      log.push(`start ${address}`);
      const ending = Promise.withResolvers<string>();
      open.set(address, ending);
      startOf(address).resolve();
      signal.addEventListener('abort', () => {
        log.push(`abort ${address}`);
        ending.reject(signal.reason as Error);
      });
      return ending.promise;
    },
  };
};

describe('race', () => {
  const never = new AbortController().signal;
  const start = (addresses: string[], staggerMs: number, signal = never) => {
    const made = attempts();
    const running = race({ addresses, attempt: made.attempt, discard: (late) => void made.discarded.push(late), staggerMs, signal });
    return { ...made, running };
  };

  test('a slow address delays the next by the stagger only; the first success ends the others', async () => {
    const { running, hasStarted, succeed, log } = start(['a', 'b', 'c'], 1);
    await hasStarted('c');
    succeed('b');
    expect(await running).toBe('linked to b');
    expect(log).toEqual(['start a', 'start b', 'start c', 'abort a', 'abort b', 'abort c']);
  });

  test('a failure starts the next at once; all failed: undefined', async () => {
    const { running, hasStarted, fail, log } = start(['a', 'b'], 1e6);
    fail('a');
    await hasStarted('b');
    fail('b');
    expect(await running).toBeUndefined();
    expect(log).toEqual(['start a', 'start b']);
    expect(await start([], 1).running).toBeUndefined();
  });

  test('what comes too late is discarded', async () => {
    const late = Promise.withResolvers<string>();
    const discarded: string[] = [];
    const running = race({
      addresses: ['slow', 'quick'],
      attempt: (address) => (address === 'slow' ? late.promise : Promise.resolve(address)),
      discard: (result) => void discarded.push(result),
      staggerMs: 1,
      signal: never,
    });
    expect(await running).toBe('quick');
    late.resolve('slow');
    await late.promise;
    await Promise.resolve();
    expect(discarded).toEqual(['slow']);
  });

  test('the winner is discarded too when the signal aborts in the same turn', async () => {
    const controller = new AbortController();
    const { running, succeed, discarded } = start(['a'], 1e6, controller.signal);
    succeed('a');
    // After the attempt has ended, before the race could say so.
    queueMicrotask(() => controller.abort('no more'));
    const outcome = await running.catch((error: unknown) => error);
    expect([[outcome, ...discarded]]).toContainEqual(outcome === 'no more' ? ['no more', 'linked to a'] : ['linked to a']);
  });

  test('an aborted race ends its attempts, starts none, and leaves no listener', async () => {
    const controller = new AbortController();
    const { running, log } = start(['a', 'b'], 1e6, controller.signal);
    controller.abort('enough');
    expect(await failureOf(running)).toBe('enough');
    expect(log).toEqual(['start a', 'abort a']);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(await failureOf(start(['a'], 1, controller.signal).running)).toBe('enough');
  });
});
