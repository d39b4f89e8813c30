import { once } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inheritedSockets } from '../../src/systemd/inherited-sockets.ts';
import { runWatchdog, watchdogInterval } from '../../src/systemd/watchdog.ts';

test('a third of WATCHDOG_USEC, if it is meant for this process', () => {
  expect(watchdogInterval({ WATCHDOG_USEC: '30000000' }, 7)).toBe(10_000);
  expect(watchdogInterval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7)).toBe(10_000);
  expect(watchdogInterval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7)).toBeUndefined();
  for (const value of ['', '0', '-1', 'soon', undefined]) expect(watchdogInterval({ WATCHDOG_USEC: value }, 7)).toBeUndefined();
});

test('a sign of life follows each health check that passes, and none follows one that fails', async () => {
  const stop = new AbortController();
  const log: string[] = [];
  let healthy = true;
  const turns = new EventTarget();
  const running = runWatchdog({
    intervalMs: 1,
    health: async () => {
      if (!healthy) throw new Error('the database does not answer');
    },
    alive: async () => {
      log.push('alive');
      turns.dispatchEvent(new Event('turn'));
    },
    failed: (error) => {
      log.push(String(error));
      turns.dispatchEvent(new Event('turn'));
    },
    signal: stop.signal,
  });
  await once(turns, 'turn');
  expect(new Set(log)).toEqual(new Set(['alive']));
  healthy = false;
  await once(turns, 'turn');
  log.length = 0;
  await once(turns, 'turn');
  expect(new Set(log)).toEqual(new Set(['Error: the database does not answer']));
  stop.abort();
  await running;
});

test('a health check that hangs counts as failed when the next sign is due', async () => {
  const stop = new AbortController();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const running = runWatchdog({ intervalMs: 1, health: () => new Promise(() => {}), alive: () => Promise.reject(new Error('alive')), failed: resolve, signal: stop.signal });
  expect(await promise).toMatchObject({ name: 'TimeoutError' });
  stop.abort();
  await running;
});

test('inherited sockets are found by name, from descriptor 3 on', () => {
  expect([...inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'control:metrics' }, 7)]).toEqual([['control', 3], ['metrics', 4]]);
  expect([...inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7)]).toEqual([['unknown', 3]]);
});

test('inherited sockets of another process are left alone', () => {
  fc.assert(
    fc.property(fc.record({ LISTEN_PID: fc.option(fc.string(), { nil: undefined }), LISTEN_FDS: fc.option(fc.string(), { nil: undefined }), LISTEN_FDNAMES: fc.string() }), (env) => {
      fc.pre(env.LISTEN_PID !== '7');
      expect(inheritedSockets(env, 7).size).toBe(0);
    }),
  );
});
