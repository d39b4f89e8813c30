import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { Bell } from '../../src/peer/bell.ts';
import { failureOf } from '../support.ts';

test('wakes whoever waits; a ring before is kept once', async () => {
  const { signal } = new AbortController();
  const bell = new Bell();
  const waiting = bell.wait(1e6, signal);
  bell.ring();
  expect(await waiting).toBe(true);
  bell.ring();
  bell.ring();
  expect(await bell.wait(Infinity, signal)).toBe(true);
  expect(await bell.wait(1, signal)).toBe(false);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('aborted: the reason', async () => {
  const controller = new AbortController();
  const waiting = failureOf(new Bell().wait(1e6, controller.signal));
  controller.abort('enough');
  expect(await waiting).toBe('enough');
  expect(await failureOf(new Bell().wait(1e6, controller.signal))).toBe('enough');
});
