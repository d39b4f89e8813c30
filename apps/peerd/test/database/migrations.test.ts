import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { migrations } from '../../src/database/migrations/index.ts';

/** Rows that each schema could hold when it was the newest one. */
const rows: Readonly<Record<number, readonly string[]>> = {
  1: [
    "INSERT INTO contacts (id, name, trust, addresses, since) VALUES ('bob', 'Bob', 'pinned', '[]', 1)",
    "INSERT INTO messages (peer, peer_name, id, direction, text, sent_at, state, stranger) VALUES ('bob', 'Bob', 'm1', 'sent', 'hi', 1, 'queued', 0)",
    "INSERT INTO rendezvous_pins (address, id, since) VALUES ('host:12000', 'id', 1)",
  ],
  2: [
    `INSERT INTO transfers (direction, peer, id, peer_name, conflict, priority, entries, bytes, pages, manifest_bytes, chunks, chunk_size, offer_root, state, untold, cleaned, paused_here, paused_there, bytes_done, sent, received, reused, rewritten, stages, skipped, created_at, updated_at)
     VALUES ('receive', 'bob', 't1', 'Bob', 'rename', 'normal', 1, 1, 1, 1, 1, 65536, x'00', 'transferring', 0, 0, 0, 0, 1, 0, 1, 0, 0, '{}', 0, 1, 1)`,
    "INSERT INTO transfer_failures VALUES ('receive', 'bob', 't1', 0, 'io_error', 'x')",
    "INSERT INTO transfer_placements (peer, id, entry, name, inode, placed) VALUES ('bob', 't1', 0, x'61', 9007199254740993, 1)",
  ],
  3: ["INSERT INTO receipts VALUES (1, 17, 400, x'00', 'received', 'bob', 't1')"],
  4: [
    "INSERT INTO policies (peer, name, kind, used_bytes, since) VALUES ('eve', 'Eve', 'block', 0, 1)",
    "INSERT INTO policy_reservations VALUES ('eve', 't1', 5)",
    "INSERT INTO introduction_requests VALUES ('i1', 'carol', 'Carol', 'waiting', 1)",
  ],
  5: ["UPDATE transfers SET compress = 'off', traffic = '{\"wireBytes\":1}'"],
  6: ['UPDATE transfers SET idle_days = 3, idle_bytes = 1, idle_at = 9'],
};

const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-migrations-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
};

const migrate = async (stateDir: string, steps: number): Promise<void> => {
  const database = await openDatabase({ stateDir, migrations: migrations.slice(0, steps), onLoss: () => expect.unreachable(), onFailure: (reason) => expect.unreachable(reason.message) });
  await database.close();
};

const look = <T>(stateDir: string, read: (database: DatabaseSync) => T): T => {
  using database = new DatabaseSync(join(stateDir, 'peerd.db'));
  return read(database);
};

const schemaOf = (stateDir: string): string => look(stateDir, (database) => database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name").all().map(({ sql }) => `${String(sql).replace(/^ {4}/gm, '')};\n`).join('\n'));

type Contents = Record<string, Record<string, unknown>[]>;
const contentsOf = (stateDir: string): Contents =>
  look(stateDir, (database) =>
    Object.fromEntries(
      database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all().map(({ name }) => {
        const all = database.prepare(`SELECT * FROM ${String(name)}`);
        all.setReadBigInts(true);
        return [String(name), all.all()];
      }),
    ),
  );

describe.each(migrations)('schema $id, $name', ({ id }) => {
  test('it is the one that was released', async () => {
    const stateDir = await temporary();
    await migrate(stateDir, id);
    // A step that was released is never changed: a new one gets a file of its own.
    await expect(schemaOf(stateDir)).toMatchFileSnapshot(`schemas/${String(id).padStart(4, '0')}.sql`);
  });

  test('what stands in it is there after the migration to the newest, and the schema is that of a fresh database', async () => {
    const [old, fresh] = [await temporary(), await temporary()];
    await migrate(old, id);
    const known = Array.from({ length: id }, (_, step) => rows[step + 1] ?? []).flat();
    expect(rows[id], 'rows for the newest schema').toBeDefined();
    look(old, (database) => known.forEach((sql) => database.exec(sql)));
    const before = contentsOf(old);
    await migrate(old, migrations.length);
    await migrate(fresh, migrations.length);
    expect(schemaOf(old)).toBe(schemaOf(fresh));
    expect(contentsOf(old)).toMatchObject(before);
    expect(Object.values(before).flat()).toHaveLength(known.filter((sql) => sql.startsWith('INSERT')).length);
    expect(look(old, (database) => [...database.prepare('PRAGMA foreign_key_check').all(), ...database.prepare('PRAGMA integrity_check').all()])).toEqual([{ integrity_check: 'ok' }]);
    expect(look(old, (database) => database.prepare('PRAGMA user_version').get())).toEqual({ user_version: migrations.length });
  });
});

test('ids count up from 1', () => {
  expect(migrations.map(({ id }) => id)).toEqual(migrations.map((_, at) => at + 1));
});
