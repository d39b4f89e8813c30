import { type LinkMessage, PeerdError } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { Inbox } from '../../src/peer/inbox.ts';

const message = (text: string): LinkMessage => ({ kind: 'chat', body: { id: 'x', text, sentAt: 0 } });
const text = (of: LinkMessage): string => (of.kind === 'chat' ? of.body.text : of.kind);
const contact = (): boolean => false;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one after the other, in order', async () => {
  const log: string[] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const inbox = new Inbox(async (next) => {
    log.push(`begin ${text(next)}`);
    await gates[Number(text(next))]?.promise;
    log.push(`end ${text(next)}`);
  }, () => {}, contact);
  expect([inbox.push(message('0'), 10), inbox.push(message('1'), 10)]).toEqual([undefined, undefined]);
  await turn();
  expect(log).toEqual(['begin 0']);
  gates[0]?.resolve();
  gates[1]?.resolve();
  await turn();
  expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
});

test.each([
  ['messages', 1, 65, false],
  ['bytes', 600_000, 2, false],
  ['messages of a stranger', 1, 65, true],
  ['bytes of a stranger', 20_000, 2, true],
  ['bytes of a stranger, of one large message', 24_576, 1, true],
])('too many %s: the reader waits until there is room', async (_what, bytes, fits, isStranger) => {
  const gate = Promise.withResolvers<void>();
  const inbox = new Inbox(() => gate.promise, () => {}, () => isStranger);
  let busy: Promise<void> | undefined;
  let count = 0;
  for (; !busy; count += 1) busy = inbox.push(message('x'), bytes);
  expect(count).toBe(fits);
  gate.resolve();
  await busy;
  expect(inbox.push(message('x'), 1)).toBeUndefined();
});

test('what a user throws is told once, and nothing is delivered after it', async () => {
  const failures: PeerdError[] = [];
  let delivered = 0;
  const inbox = new Inbox(async () => {
    delivered += 1;
    throw new Error('ouch');
  }, (error) => failures.push(error), contact);
  void inbox.push(message('1'), 1);
  void inbox.push(message('2'), 1);
  await turn();
  void inbox.push(message('3'), 1);
  await turn();
  expect([delivered, failures.map(({ code }) => code)]).toEqual([1, ['internal']]);
});

test('stop drops what waits and wakes the reader', async () => {
  let delivered = 0;
  const inbox = new Inbox(async () => {
    delivered += 1;
    await new Promise(() => {});
  }, () => {}, contact);
  void inbox.push(message('1'), 1);
  const busy = inbox.push(message('2'), 2_000_000);
  inbox.stop();
  await busy;
  expect(delivered).toBe(1);
});
