import { mkdir, mkdtemp, open as openFile, readdir, readFile, rm, rmdir, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase, type OpenOptions } from '../../src/database/database.ts';
import type { Database } from '../../src/database/ports.ts';

const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-loss-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
};

const open = async (stateDir: string, onLoss: OpenOptions['onLoss'] = () => expect.unreachable(), more: Partial<OpenOptions> = {}): Promise<Database> => {
  const database = await openDatabase({ stateDir, onLoss, onFailure: (reason) => expect.unreachable(reason.message), ...more });
  onTestFinished(() => database.close());
  return database;
};

const contact = (id: string): [sql: string, ...params: (string | number)[]] => ['INSERT INTO contacts (id, name, trust, addresses, since) VALUES (?, ?, ?, ?, ?)', id, 'Bob', 'verified', '[{"host":"192.0.2.1","port":1}]', 5];

/** A state directory with somebody trusted, somebody blocked, and 300 messages. */
const filled = async (): Promise<string> => {
  const stateDir = await temporary();
  const database = await open(stateDir);
  await database.run(...contact('bob'));
  await database.run("INSERT INTO policies (peer, name, kind, used_bytes, since) VALUES ('eve', 'Eve', 'block', 0, 5)");
  await database.run("INSERT INTO rendezvous_pins (address, id, since) VALUES ('host:12000', 'pinned', 5)");
  for (let seq = 1; seq <= 300; seq += 1)
    void database.run("INSERT INTO messages (seq, peer, peer_name, id, direction, text, sent_at, state, stranger) VALUES (?, 'bob', 'Bob', ?, 'sent', ?, 1, 'queued', 0)", seq, String(seq), 'text'.repeat(50));
  await database.close();
  return stateDir;
};

const path = (stateDir: string): string => join(stateDir, 'peerd.db');
const overwrite = async (file: string, at: number, bytes: Buffer): Promise<void> => {
  await using handle = await openFile(file, 'r+');
  await handle.write(bytes, 0, bytes.length, at);
};
const noise = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 167 + 13) % 256));

const damages: readonly [string, (stateDir: string) => Promise<void>][] = [
  ['another magic', (stateDir) => overwrite(path(stateDir), 0, Buffer.from('no database here'))],
  ['text in its place', (stateDir) => writeFile(path(stateDir), 'this is no database, '.repeat(500))],
  ['noise in its place', (stateDir) => writeFile(path(stateDir), noise(50_000))],
  ['noise in its middle', (stateDir) => overwrite(path(stateDir), 8_192, noise(40_000))],
  ['cut in its middle', async (stateDir) => truncate(path(stateDir), Math.floor((await stat(path(stateDir))).size / 2))],
  ['cut within its first page', (stateDir) => truncate(path(stateDir), 1_000)],
];

describe('a damaged database', () => {
  test.each(damages)('%s: it is set aside, and a new one begins with who is trusted', async (_how, damage) => {
    const stateDir = await filled();
    await damage(stateDir);
    const damaged = await readFile(path(stateDir));
    const onLoss = vi.fn<OpenOptions['onLoss']>();
    const database = await open(stateDir, onLoss);

    expect(await database.all('SELECT id, trust, addresses FROM contacts')).toEqual([{ id: 'bob', trust: 'verified', addresses: '[{"host":"192.0.2.1","port":1}]' }]);
    expect(await database.all('SELECT peer, kind FROM policies')).toEqual([{ peer: 'eve', kind: 'block' }]);
    expect(await database.all('SELECT id FROM rendezvous_pins')).toEqual([{ id: 'pinned' }]);
    expect(await database.get('SELECT count(*) AS count FROM messages')).toEqual({ count: 0 });

    const aside = (await readdir(stateDir)).filter((name) => /^peerd\.db\.corrupt-[-\dTZ.]+$/.test(name));
    expect(aside).toHaveLength(1);
    expect(onLoss.mock.calls).toEqual([[{ path: join(stateDir, aside[0] ?? ''), restored: 3 }]]);
    expect((await readFile(join(stateDir, aside[0] ?? ''))).equals(damaged)).toBe(true);
  });

  test.each([['it is gone', (file: string) => unlink(file)], ['it is empty', (file: string) => truncate(file)]] as const)('%s: the same, with nothing to set aside', async (_how, lose) => {
    const stateDir = await filled();
    await lose(path(stateDir));
    const onLoss = vi.fn<OpenOptions['onLoss']>();
    const database = await open(stateDir, onLoss);
    expect(await database.all('SELECT id FROM contacts')).toEqual([{ id: 'bob' }]);
    expect(onLoss.mock.calls).toEqual([[{ path: undefined, restored: 3 }]]);
  });

  test('a snapshot that is damaged too keeps nothing from starting', async () => {
    const stateDir = await filled();
    await writeFile(path(stateDir), 'x'.repeat(5_000));
    await truncate(join(stateDir, 'trust.json'), 20);
    const onLoss = vi.fn<OpenOptions['onLoss']>();
    const database = await open(stateDir, onLoss);
    expect(await database.all('SELECT id FROM contacts')).toEqual([]);
    expect(onLoss).toHaveBeenCalledWith(expect.objectContaining({ restored: 0 }));
    // And is whole again.
    expect(JSON.parse(await readFile(join(stateDir, 'trust.json'), 'utf8'))).toMatchObject({ contacts: [] });
  });
});

describe('what is kept beside the database', () => {
  test('it follows each change of who is trusted before the change is confirmed, for its owner only', async () => {
    const stateDir = await temporary();
    const database = await open(stateDir);
    const kept = async (): Promise<{ contacts: { id: string }[] }> => JSON.parse(await readFile(join(stateDir, 'trust.json'), 'utf8')) as { contacts: { id: string }[] };
    await database.run(...contact('bob'));
    expect((await kept()).contacts.map(({ id }) => id)).toEqual(['bob']);
    await database.batch([{ sql: 'DELETE FROM contacts WHERE id = ?', params: ['bob'] }]);
    expect((await kept()).contacts).toEqual([]);
    expect((await stat(join(stateDir, 'trust.json'))).mode & 0o777).toBe(0o600);
    // Nothing else writes it.
    const before = await stat(join(stateDir, 'trust.json'), { bigint: true });
    await database.run("INSERT INTO messages (peer, peer_name, id, direction, text, sent_at, state, stranger) VALUES ('bob', 'Bob', '1', 'sent', 'x', 1, 'queued', 0)");
    expect((await stat(join(stateDir, 'trust.json'), { bigint: true })).ino).toBe(before.ino);
  });

  test('rows of an older or a newer schema come back with the columns that both know', async () => {
    const stateDir = await temporary();
    await writeFile(join(stateDir, 'trust.json'), JSON.stringify({ contacts: [{ id: 'bob', name: 'Bob', trust: 'pinned', addresses: '[]', since: 1, later: 'x' }], later_table: [{ a: 1 }] }));
    const database = await open(stateDir, () => {});
    expect(await database.all('SELECT id, last_seen FROM contacts')).toEqual([{ id: 'bob', last_seen: null }]);
  });

  test('what in it is damaged is left out, the rest comes back, and nothing keeps the daemon from starting', async () => {
    const row = (id: string, more: object = {}): object => ({ id, name: 'Bob', trust: 'pinned', addresses: '[]', since: 1, ...more });
    const rows = [row('ann'), row('time', { since: 'x' }), row('trust', { trust: 'other' }), row('value', { name: {} }), null, 7, { name: 'no id' }, row('bob')];
    for (const [document, ids] of [[{ contacts: rows, policies: 5, rendezvous_pins: [[]] }, ['ann', 'bob']], [null, []], ['x', []]] as const) {
      const stateDir = await temporary();
      await writeFile(join(stateDir, 'trust.json'), JSON.stringify(document));
      const database = await open(stateDir, () => {});
      expect((await database.all<{ id: string }>('SELECT id FROM contacts ORDER BY id')).map(({ id }) => id)).toEqual(ids);
    }
  });

  test('a change stands although it cannot be kept, somebody is told, and the next one keeps it', async () => {
    const stateDir = await temporary();
    const onTrustNotKept = vi.fn<(message: string) => void>();
    const database = await open(stateDir, () => {}, { onTrustNotKept });
    // The snapshot of the start is done. Then a directory stands in the place of the file that becomes the next one.
    await database.get('SELECT 1');
    const next = join(stateDir, 'trust.json.next');
    await mkdir(next);
    await database.run(...contact('bob'));
    expect(onTrustNotKept).toHaveBeenCalledWith(expect.stringContaining('EISDIR'));
    await rmdir(next);
    await database.get('SELECT 1');
    expect(await readFile(join(stateDir, 'trust.json'), 'utf8')).toContain('bob');
  });
});
