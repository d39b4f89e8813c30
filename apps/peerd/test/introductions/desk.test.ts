import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlEvent } from '@peerd/protocol';
import { createLogger } from '@peerd/service';
import { expect, onTestFinished, test } from 'vitest';
import { loadContacts } from '../../src/contacts/contacts.ts';
import { openDatabase } from '../../src/database/database.ts';
import { IntroductionDesk } from '../../src/introductions/desk.ts';
import { type IntroductionRequest, loadIntroductionRequests } from '../../src/introductions/requests.ts';
import { PeerdError } from '@peerd/protocol';

const day = 86_400_000;
const idOf = (number: number): string => number.toString(2).padStart(8, '0').replaceAll('0', 'a').replaceAll('1', 'b').padStart(52, 'c');
const bob = { id: idOf(1), name: 'bob' };

const setup = async (policy: 'all' | 'contacts' | 'ask') => {
  const stateDir = await mkdtemp(join(tmpdir(), 'peerd-introductions-'));
  const database = await openDatabase({ stateDir, onLoss: () => {}, onFailure: () => {} });
  onTestFinished(async () => {
    await database.close();
    await rm(stateDir, { recursive: true });
  });
  const clock = { now: 10 * day };
  const events: ControlEvent[] = [];
  const dialled: string[] = [];
  const load = async () => {
    const requests = await loadIntroductionRequests({ database, now: () => clock.now });
    const contacts = await loadContacts({
      database, self: { id: 'a'.repeat(52), name: 'alice' }, isBlocked: () => false, remembered: () => [], present: () => [], onChange: () => {}, onError: () => {}, now: () => clock.now,
    });
    const links = {
      connect: (peer: string) => {
        dialled.push(peer);
        return Promise.reject(new PeerdError('peer_unreachable', 'away'));
      },
    };
    const desk = new IntroductionDesk({ policy, requests, contacts, links: () => links, events: { publish: (event) => events.push(event) }, logger: createLogger('test', 'silent') });
    const only = (): IntroductionRequest => requests.waiting()[0] ?? expect.unreachable('nothing waits');
    return { desk, requests, contacts, only };
  };
  return { load, clock, events, dialled };
};

test('all and contacts decide by themselves', async () => {
  const all = await (await setup('all')).load();
  expect(await all.desk.admit(bob)).toBe('accepted');
  const few = await (await setup('contacts')).load();
  expect(await few.desk.admit(bob)).toBe('refused');
  await few.contacts.pin(bob);
  expect(await few.desk.admit(bob)).toBe('accepted');
  expect([...all.desk.inbox(), ...few.desk.inbox()]).toEqual([]);
});

test('ask: one request per peer waits, is told once, and outlives a restart', async () => {
  const { load, events } = await setup('ask');
  const { desk } = await load();
  expect([await desk.admit({ ...bob, name: 'bob\u202e' }), await desk.admit(bob)]).toEqual(['pending', 'pending']);
  expect(desk.inbox()).toMatchObject([{ from: { id: bob.id, name: 'bob\\u{202e}' }, trust: 'new' }]);
  expect(events).toMatchObject([{ kind: 'introduction', from: { id: bob.id } }]);
  expect((await load()).desk.inbox()).toEqual(desk.inbox());
});

test('accept makes a contact and dials; reject is remembered for seven days', async () => {
  const { load, clock, dialled } = await setup('ask');
  const { desk, only, contacts } = await load();
  await desk.admit(bob);
  expect(await desk.accept(only())).toMatchObject({ state: 'accepted', introduction: { from: bob } });
  expect([contacts.get(bob.id)?.trust, dialled, desk.inbox(), await desk.admit(bob)]).toEqual(['pinned', [bob.id], [], 'accepted']);

  const eve = { id: idOf(2), name: 'eve' };
  await desk.admit(eve);
  expect(await desk.reject(only())).toMatchObject({ state: 'rejected' });
  expect([desk.inbox(), await desk.admit(eve), await (await load()).desk.admit(eve)]).toEqual([[], 'refused', 'refused']);
  clock.now += 7 * day;
  expect(await desk.admit(eve)).toBe('pending');
  clock.now += 7 * day;
  expect([desk.inbox(), (await load()).desk.inbox()]).toEqual([[], []]);
});

test('who bears the name of a contact does not become one by accept', async () => {
  const { desk, only, contacts } = await (await setup('ask')).load();
  await contacts.pin({ id: idOf(3), name: 'bob' });
  expect(await desk.admit(bob)).toBe('pending');
  expect(desk.inbox()).toMatchObject([{ trust: 'changed' }]);
  await expect(desk.accept(only())).rejects.toMatchObject({ code: 'trust_changed' });
  expect(contacts.get(bob.id)).toBeUndefined();
});

test('1,000 that were declined are remembered; over that the oldest may ask again', async () => {
  const { load } = await setup('ask');
  const { requests } = await load();
  const declined = (number: number): IntroductionRequest => ({ id: `id${number}`, peer: idOf(number), name: 'x', state: 'waiting', receivedAt: 0 });
  for (let number = 0; number <= 1_000; number += 1) await requests.decline(declined(number));
  expect([requests.get(idOf(0)), requests.get(idOf(1))?.state, requests.get(idOf(1_000))?.state]).toEqual([undefined, 'declined', 'declined']);
});

test('64 may wait; further ones are refused and push nobody out', async () => {
  const { desk } = await (await setup('ask')).load();
  for (let number = 0; number < 64; number += 1) expect(await desk.admit({ id: idOf(number), name: 'x' })).toBe('pending');
  expect(await desk.admit({ id: idOf(64), name: 'x' })).toBe('refused');
  expect(desk.inbox()).toHaveLength(64);
  expect(await desk.admit({ id: idOf(0), name: 'x' })).toBe('pending');
});
