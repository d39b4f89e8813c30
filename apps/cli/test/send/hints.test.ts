import { expect, test } from 'vitest';
import { failureOfSend } from '../../src/send/hints.ts';
import { reasonsText } from '../../src/ui/outlook-text.ts';

const event = (code: string) => ({ event: 'rejected', id: '01hzzzzzzzzzzzzzzzzzzzzzzz', peer: { id: 'a'.repeat(52), name: 'bob' }, error: { code, message: 'no' } }) as Parameters<typeof failureOfSend>[0];

test('a code that is known has a hint of its own, any other word points to the transfer', () => {
  expect(failureOfSend(event('rejected')).hint).toMatch(/^Ask the receiver/);
  for (const code of ['later', 'constructor', 'toString', '__proto__']) expect(failureOfSend(event(code)).hint).toMatch(/^`peerctl show 01hz/);
});

test('where only some of the files are meant, the way to their names is told', () => {
  for (const code of ['source_changed', 'conflict']) expect(failureOfSend(event(code)).hint).toMatch(/: send .* `peerctl show 01hz\w+` tells more\.$/);
});

test('a cancelled transfer says who cancelled it', () => {
  const text = (message: string): string => failureOfSend({ ...event('cancelled'), event: 'cancelled', error: { code: 'cancelled', message } }).message;
  expect(text('cancelled by the receiver')).toBe('the transfer to bob was cancelled by the receiver');
  expect(text('no time')).toBe('the transfer to bob was cancelled: no time');
  expect(text('')).toBe('the transfer to bob was cancelled');
});

test('reasons that are not known are shown as they are', () => {
  expect(reasonsText(['hidden', 'executable', 'toString', '__proto__'])).toBe('hidden, can be run, toString, __proto__');
});
