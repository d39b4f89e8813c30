/** The log of the database cannot be flushed: system calls of a real process fail (strace). */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { lacks, type Traced, traced } from '../../../../e2e/faults/system.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { Asked, Told } from './serve-database.ts';

const unavailable = await lacks('strace');
if (unavailable !== undefined) console.warn(`skipped: flushes that fail: ${unavailable}`);

interface Served {
  readonly stateDir: string;
  readonly child: ChildProcess;
  /** Everything so far. */
  readonly told: readonly Told[];
  readonly ask: (asked: Asked) => void;
  /** Resolves when this was told. */
  readonly tells: (told: Told) => Promise<void>;
}

const serve = async (...args: string[]): Promise<Served> => {
  const stateDir = await mkdtemp(join(tmpdir(), 'peerd-flush-'));
  const child = fork(new URL('./serve-database.ts', import.meta.url), [stateDir, ...args], { execArgv: ['--conditions=@peerd/source'] });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(stateDir, { recursive: true });
  });
  const told: Told[] = [];
  child.on('message', (message: Told) => told.push(message));
  const tells = (what: Told): Promise<void> => vi.waitFor(() => expect(told).toContainEqual(what), { timeout: 20_000 });
  await tells('open');
  return { stateDir, child, told, ask: (asked) => void child.send(asked), tells };
};

/** @returns with `met`, which resolves once so many calls have failed */
const failing = async ({ child, stateDir }: Served, calls: string, when = ''): Promise<Traced & { met: (count: number) => Promise<void> }> => {
  const output = join(stateDir, 'strace.txt');
  const inject = `inject=${calls}:error=EIO${when}`;
  const trace = await traced(child.pid ?? 0, ['-e', `trace=${calls}`, '-e', inject, '-P', log(stateDir)], output);
  const met = (count: number): Promise<void> => vi.waitFor(async () => expect((await readFile(output, 'utf8')).match(/INJECTED/g)?.length ?? 0).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
  return { ...trace, met };
};

const log = (stateDir: string): string => join(stateDir, 'peerd.db-wal');

const killed = async ({ child }: Served): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const numbers = async (stateDir: string): Promise<unknown[]> => {
  const migrations = [{ id: 1, name: 'numbers', sql: '' }];
  const database = await openDatabase({ stateDir, migrations, onLoss: () => expect.unreachable(), onFailure: (reason) => expect.unreachable(reason.message) });
  const rows = await database.all<{ n: number }>('SELECT n FROM numbers ORDER BY n');
  await database.close();
  return rows.map(({ n }) => n);
};

describe.skipIf(unavailable !== undefined)('the log of the database cannot be flushed', () => {
  test('once: what was asked for is answered, it is in the database itself, and the log begins anew with its blocks', async () => {
    const served = await serve();
    const { size } = await stat(log(served.stateDir));
    const trace = await failing(served, 'fdatasync', ':when=1');
    served.ask(1);
    await served.tells({ stored: 1 });
    await trace.end();
    expect((await stat(log(served.stateDir))).size).toBe(size);
    await killed(served);
    await rm(log(served.stateDir));
    expect(await numbers(served.stateDir)).toEqual([1]);
  });

  test('for a while: nobody is answered meanwhile, neither who asks later, and everybody afterwards', async () => {
    const served = await serve();
    const trace = await failing(served, 'fdatasync,fsync');
    served.ask(1);
    await trace.met(1);
    served.ask(2);
    // The flush, and each attempt to write anew, one after the other.
    await trace.met(3);
    expect(served.told).toEqual(['open']);
    await trace.end();
    await served.tells({ stored: 2 });
    expect(served.told).toEqual(['open', { stored: 1 }, { stored: 2 }]);
    // What can be flushed is not written twice.
    served.ask(3);
    await served.tells({ stored: 3 });
    await killed(served);
    expect(await numbers(served.stateDir)).toEqual([1, 2, 3]);
  });

  test('for a while: what was answered then survives a power failure that takes from the log what was never flushed', async () => {
    const served = await serve();
    const { stateDir } = served;
    served.ask(1);
    await served.tells({ stored: 1 });
    const flushed = await readFile(log(stateDir));
    const trace = await failing(served, 'fdatasync,fsync');
    served.ask(2);
    await trace.met(2);
    const unflushed = await readFile(log(stateDir));
    await trace.end();
    await served.tells({ stored: 2 });
    await killed(served);
    const cached = await readFile(log(stateDir));
    // Pages whose flush failed count as clean: unless they were written again, the disk still has what it had before.
    const page = 4_096;
    for (let at = 0; at < cached.length; at += page) {
      const of = (file: Buffer): Buffer => file.subarray(at, at + page);
      if (of(cached).equals(of(unflushed)) && !of(unflushed).equals(of(flushed))) flushed.copy(cached, at, at, at + page);
    }
    await writeFile(log(stateDir), cached);
    expect(await numbers(stateDir)).toEqual([1, 2]);
  });

  test('for longer than it may: who waits hears of it, the owner is told, and whoever asks later is refused', async () => {
    const served = await serve('1');
    const trace = await failing(served, 'fdatasync,fsync');
    served.ask(1);
    await trace.met(1);
    served.ask(2);
    await served.tells({ failed: 'io_error' });
    served.ask(3);
    await served.tells({ refused: 3, code: 'io_error' });
    expect(served.told.slice(1)).toEqual([{ failed: 'io_error' }, ...[1, 2, 3].map((n) => ({ refused: n, code: 'io_error' }))]);
    served.ask('close');
    await served.tells('closed');
    await trace.end();
  });

  test('while it is closed: closing waits for the disk, and for what was asked for before', async () => {
    const served = await serve();
    const trace = await failing(served, 'fdatasync,fsync');
    served.ask(1);
    await trace.met(1);
    served.ask(2);
    served.ask('close');
    await trace.met(3);
    expect(served.told).toEqual(['open']);
    await trace.end();
    await served.tells('closed');
    expect(served.told).toEqual(['open', { stored: 1 }, { stored: 2 }, 'closed']);
    expect(await numbers(served.stateDir)).toEqual([1, 2]);
  });

  test('while it is closed, for longer than it may: closing ends all the same', async () => {
    const served = await serve('1');
    const trace = await failing(served, 'fdatasync,fsync');
    served.ask(1);
    await trace.met(1);
    served.ask('close');
    await served.tells('closed');
    expect(served.told).toEqual(['open', { failed: 'io_error' }, { refused: 1, code: 'io_error' }, 'closed']);
    await trace.end();
  });
});
