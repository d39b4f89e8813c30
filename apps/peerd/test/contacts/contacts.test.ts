import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadContacts } from '../../src/contacts/contacts.ts';
import type { Contact, Contacts } from '../../src/contacts/ports.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { Database } from '../../src/database/ports.ts';

const bob = { id: 'b'.repeat(52), name: 'bob' };
const self = { id: 'a'.repeat(52), name: 'alice' };

const setup = async (): Promise<{ database: Database; load: () => Promise<Contacts>; changes: [Contact, boolean][] }> => {
  const stateDir = await mkdtemp(join(tmpdir(), 'peerd-contacts-'));
  const database = await openDatabase({ stateDir, onLoss: () => {}, onFailure: () => {} });
  onTestFinished(async () => {
    await database.close();
    await rm(stateDir, { recursive: true });
  });
  const changes: [Contact, boolean][] = [];
  const load = (): Promise<Contacts> =>
    loadContacts({
      database, self,
      isBlocked: () => false,
      remembered: () => [],
      present: () => [],
      onChange: (contact, added) => changes.push([contact, added]),
      onError: (error) => expect.unreachable(String(error)),
      now: () => 1_000,
    });
  return { database, load, changes };
};

describe('contacts', () => {
  test('a pinned peer is a contact after a restart; pinning again keeps it as it is', async () => {
    const { load, changes } = await setup();
    const contacts = await load();
    expect(await contacts.pin({ ...bob, addresses: [{ host: '::1', port: 1 }] })).toMatchObject({ added: true, contact: { name: 'bob', trust: 'pinned', since: 1_000 } });
    expect(await contacts.pin({ ...bob, name: 'somebody else' })).toMatchObject({ added: false, contact: { name: 'bob' } });
    expect(changes).toHaveLength(1);
    expect((await load()).all()).toEqual(contacts.all());
    expect((await load()).resolve('bob')).toMatchObject({ id: bob.id, trust: 'pinned' });
  });

  test('new addresses go to the front, each once, at most 16', async () => {
    const { load, database } = await setup();
    const contacts = await load();
    await contacts.pin({ ...bob, addresses: Array.from({ length: 20 }, (_, index) => ({ host: '192.0.2.1', port: index + 1 })) });
    contacts.reached(bob.id, { host: '192.0.2.1', port: 7 });
    contacts.reached(bob.id, undefined);
    contacts.reached('c'.repeat(52), { host: '192.0.2.9', port: 9 });
    await database.get('SELECT 1');
    const again = (await load()).get(bob.id);
    expect(again?.addresses.map(({ port }) => port)).toEqual([7, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    expect(again?.lastSeen).toBe(1_000);
    expect((await load()).all()).toHaveLength(1);
  });

  test('a peer that could not be stored is no contact', async () => {
    const { load, database } = await setup();
    const contacts = await load();
    await database.run('DROP TABLE contacts');
    await expect(contacts.pin(bob)).rejects.toMatchObject({ code: 'internal' });
    expect(contacts.get(bob.id)).toBeUndefined();
  });
});
