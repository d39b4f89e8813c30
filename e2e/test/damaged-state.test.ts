import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { World } from '../harness/world.ts';

interface Contacts {
  readonly contacts: readonly { readonly id: string; readonly name: string; readonly trust: string }[];
}

/** An id that is nobody's. */
const eve = 'e'.repeat(52);

test.concurrent('a damaged database: peerd starts with its identity and whom it trusts, says so loudly, and keeps the file', async () => {
  await using world = await World.create();
  await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
  await alice.json('trust', 'bob');
  await alice.json('trust', `${eve}@192.0.2.1:1`);
  await alice.json('policy', eve, 'block');
  const { id } = alice;
  const before = await alice.json<Contacts>('contacts');
  await alice.end();

  const state = join(alice.directory, 'state');
  const damaged = Buffer.concat([Buffer.from('not a database'), await readFile(join(state, 'peerd.db'))]);
  await writeFile(join(state, 'peerd.db'), damaged);
  await alice.start();
  expect(alice.daemon?.log.join('\n')).toContain('THE DATABASE WAS DAMAGED, and was set aside');

  expect(alice.id).toBe(id);
  const after = await alice.json<Contacts>('contacts');
  expect(after.contacts.map((contact) => [contact.id, contact.trust])).toEqual(before.contacts.map((contact) => [contact.id, contact.trust]));
  expect(after.contacts.map((contact) => contact.id)).toContain(bob.id);
  expect((await alice.run('send', eve, '/etc/hosts')).stderr).toMatch(/is blocked here/);
  const aside = (await readdir(state)).find((name) => name.startsWith('peerd.db.corrupt-')) ?? '';
  expect((await readFile(join(state, aside))).equals(damaged)).toBe(true);
  const doctor = await alice.run('doctor');
  expect(doctor.stdout).toMatch(/^warn {2}database .*damaged and set aside/m);
  expect(doctor.stdout).toContain(aside);

  // It works on: the contact is found, and a message arrives.
  await alice.seesPeers((seen) => seen.some((peer) => peer.id === bob.id));
  expect((await alice.run('chat', 'bob', 'still here')).code).toBe(0);
});

test.concurrent('a state directory of a newer version, and one that is in use: a clear error, and nothing is touched', async () => {
  await using world = await World.create();
  const alice = await world.peer('alice', { rendezvous: null }).start();
  const second = world.peer('alice', { rendezvous: null });
  await expect(second.start('--control', join(alice.directory, 'run', 'other.sock'))).rejects.toThrow(/another daemon uses the state directory/);
  await alice.end();

  const path = join(alice.directory, 'state', 'peerd.db');
  {
    using database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 999');
  }
  const bytes = await readFile(path);
  await expect(alice.start()).rejects.toThrow(/written by a newer peerd \(schema 999/);
  expect((await readFile(path)).equals(bytes)).toBe(true);
});
