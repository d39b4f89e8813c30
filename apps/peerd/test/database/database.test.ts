import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { PeerdError } from '@peerd/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, type OpenOptions } from '../../src/database/database.ts';
import { migrations } from '../../src/database/migrations/index.ts';

const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-database-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
};

const open = async (stateDir: string, more: Partial<OpenOptions> = {}) => {
  const database = await openDatabase({ stateDir, onLoss: () => expect.unreachable(), onFailure: (reason) => expect.unreachable(reason.message), ...more });
  onTestFinished(() => database.close());
  return database;
};

const numbers = [{ id: 1, name: 'numbers', sql: 'CREATE TABLE numbers (n INTEGER PRIMARY KEY, note TEXT) STRICT' }];

describe('database', () => {
  test('what was stored is there after a restart, in a file for its owner only', async () => {
    const stateDir = await temporary();
    const first = await open(stateDir);
    await first.run('INSERT INTO rendezvous_pins (address, id, since) VALUES (?, ?, ?)', 'host:12000', 'id', 1);
    await first.close();
    const second = await open(stateDir);
    expect(await second.get('SELECT * FROM rendezvous_pins')).toEqual({ address: 'host:12000', id: 'id', since: 1 });
    expect((await stat(join(stateDir, 'peerd.db'))).mode & 0o777).toBe(0o600);
    expect(await second.get('PRAGMA user_version')).toEqual({ user_version: migrations.length });
  });

  test('a worker that ends by an error: who waits hears of it, whoever asks later too, and the owner is told', async () => {
    const workers: Worker[] = [];
    const onWorker = (worker: Worker): number => workers.push(worker);
    process.on('worker', onWorker);
    const told: PeerdError[] = [];
    const database = await openDatabase({ stateDir: await temporary(), onLoss: () => expect.unreachable(), onFailure: (reason) => told.push(reason), migrations: numbers });
    process.off('worker', onWorker);
    const [worker] = workers;
    const waiting = database.get('SELECT 1');
    // As the thread would report a flush of the log that failed.
    worker?.emit('error', Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' }));
    await worker?.terminate();
    for (const asked of [waiting, database.get('SELECT 1')]) await expect(asked).rejects.toMatchObject({ code: 'io_error', message: 'the database worker ended: EIO: i/o error, fdatasync' });
    expect(told.map(({ code }) => code)).toEqual(['io_error']);
    await database.close();
  });

  test('a failing statement rejects only its own caller', async () => {
    const database = await open(await temporary(), { migrations: numbers });
    const results = await Promise.allSettled([
      database.run('INSERT INTO numbers (n) VALUES (1)'),
      database.run('INSERT INTO numbers (n) VALUES (1)'),
      database.run('INSERT INTO numbers (n) VALUES (2)'),
      database.get('SELECT nonsense FROM numbers'),
      database.all('SELECT n FROM numbers ORDER BY n'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(results[4]).toMatchObject({ value: [{ n: 1 }, { n: 2 }] });
    expect(results[1]).toMatchObject({ reason: { code: 'internal', details: { sqliteCode: 19 } } });
  });

  test('so many requests wait for the disk, and no more', async () => {
    const database = await open(await temporary(), { migrations: numbers });
    const waiting = Array.from({ length: 65_536 }, () => database.get('SELECT 1'));
    await expect(database.get('SELECT 1')).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('cannot keep up') });
    await Promise.all(waiting);
    await database.get('SELECT 1');
  });

  test('a batch is all or nothing', async () => {
    const database = await open(await temporary(), { migrations: numbers });
    const insert = 'INSERT INTO numbers (n) VALUES (?)';
    const failing = database.batch([{ sql: insert, params: [1] }, { sql: insert, params: [1] }]);
    const succeeding = database.batch([{ sql: insert, params: [7] }, { sql: insert, params: [8] }]);
    await expect(failing).rejects.toThrow(PeerdError);
    await succeeding;
    expect(await database.all('SELECT n FROM numbers')).toEqual([{ n: 7 }, { n: 8 }]);
  });

  test('requests of one turn share a commit', async () => {
    const groups: number[] = [];
    const database = await open(await temporary(), { migrations: numbers, onCommit: (requests) => groups.push(requests) });
    await Promise.all(Array.from({ length: 500 }, (_, n) => database.run('INSERT INTO numbers (n) VALUES (?)', n)));
    expect(groups).toEqual([500]);
    expect(await database.get('SELECT count(*) AS count FROM numbers')).toEqual({ count: 500 });
  });

  test('a full disk: nothing of the group seems to be stored that is not, and work goes on when there is room', async () => {
    const database = await open(await temporary(), { migrations: [{ id: 1, name: 'bytes', sql: 'CREATE TABLE bytes (n INTEGER PRIMARY KEY, b BLOB) STRICT' }] });
    await database.run('PRAGMA max_page_count = 20');
    const insert = 'INSERT INTO bytes (n, b) VALUES (?, ?)';
    const results = await Promise.allSettled([1, 2, 3].map((n) => database.run(insert, n, n === 2 ? Buffer.alloc(1_000_000) : Buffer.alloc(10))));
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { code: 'no_space', exitCode: 7 } });
    const stored = await database.all<{ n: number }>('SELECT n FROM bytes ORDER BY n');
    expect(stored.map(({ n }) => n)).toEqual([1, 2, 3].filter((_, index) => results[index]?.status === 'fulfilled'));
    await database.run('PRAGMA max_page_count = 1000000');
    await database.run(insert, 9, Buffer.alloc(1_000_000));
    expect(await database.get('SELECT count(*) AS count FROM bytes WHERE n = 9')).toEqual({ count: 1 });
  });

  test('bytes are taken when the call is made; integers beyond 2^53 come back exact', async () => {
    const database = await open(await temporary(), { migrations: [{ id: 1, name: 'bytes', sql: 'CREATE TABLE bytes (b BLOB, i INTEGER) STRICT' }] });
    const bytes = Buffer.from('before');
    const stored = database.run('INSERT INTO bytes VALUES (?, ?)', bytes, 2n ** 60n);
    bytes.write('after!');
    await stored;
    const row = await database.get<{ b: Uint8Array; i: bigint }>('SELECT b, i FROM bytes');
    expect(Buffer.from(row?.b ?? []).toString()).toBe('before');
    expect(row?.i).toBe(2n ** 60n);
  });

  test('commits do not make the log grow: it has its blocks from the start, and is begun anew', async () => {
    const stateDir = await temporary();
    const database = await open(stateDir, { migrations: [{ id: 1, name: 'bytes', sql: 'CREATE TABLE bytes (n INTEGER PRIMARY KEY, b BLOB) STRICT' }] });
    const log = join(stateDir, 'peerd.db-wal');
    const { size, blocks } = await stat(log);
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
    // Twice what the log holds, in commits of their own.
    for (let n = 0; n < 90; n += 1) await database.run('INSERT INTO bytes VALUES (?, ?)', n, Buffer.alloc(100_000, n));
    expect((await stat(log)).size).toBe(size);
  });

  test('a second daemon on the same state directory is refused, within the process and from another one', async () => {
    const stateDir = await temporary();
    const first = await open(stateDir);
    await expect(open(stateDir)).rejects.toMatchObject({ code: 'state_locked', hint: expect.stringContaining('--state-dir') });
    await first.close();
    const holder = fork(new URL('./hold-database.ts', import.meta.url), [stateDir], { execArgv: ['--conditions=@peerd/source'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder, 'message');
    await expect(open(stateDir)).rejects.toMatchObject({ code: 'state_locked' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const heir = await open(stateDir);
    // What the killed one had committed is there.
    expect(await heir.get('SELECT id FROM rendezvous_pins')).toEqual({ id: 'held' });
  });

  test('a database of a newer version is refused and left alone', async () => {
    const stateDir = await temporary();
    const newer = await open(stateDir, { migrations: [...numbers, { id: 2, name: 'more', sql: 'CREATE TABLE more (n INTEGER)' }] });
    await newer.close();
    await expect(open(stateDir, { migrations: numbers })).rejects.toMatchObject({ code: 'state_newer' });
    expect(await readdir(stateDir)).toEqual(['peerd.db', 'trust.json']);
  });

  test('a migration that fails leaves the schema as it was', async () => {
    const stateDir = await temporary();
    const broken = { id: 2, name: 'broken', sql: 'CREATE TABLE half (n INTEGER); INSERT INTO missing VALUES (1);' };
    await expect(open(stateDir, { migrations: [...numbers, broken] })).rejects.toMatchObject({ code: 'io_error' });
    const database = await open(stateDir, { migrations: numbers });
    expect(await database.all("SELECT name FROM sqlite_schema WHERE name = 'half'")).toEqual([]);
  });

  test('close does what was asked for before, and refuses what comes after', async () => {
    const stateDir = await temporary();
    const database = await open(stateDir, { migrations: numbers });
    const stored = database.run('INSERT INTO numbers (n) VALUES (1)');
    const closed = database.close();
    await stored;
    await closed;
    await expect(database.run('INSERT INTO numbers (n) VALUES (2)')).rejects.toMatchObject({ code: 'shutting_down' });
    expect(await readdir(stateDir)).toEqual(['peerd.db', 'trust.json']);
  });
});
