/** What a daemon has at a moment: memory, descriptors, what Node keeps open, rows, files. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Daemon } from '../harness/process.ts';

/** By the name of the figure: `rss (MiB)`, `descriptors`, `resources Timeout`, `rows transfers`, … */
export type Sample = Readonly<Record<string, number>>;

/** @param metrics HOST:PORT @param database of a peer */
export const sampleOf = async (daemon: Daemon, metrics: string, database?: string): Promise<Sample> => ({
  'rss (MiB)': rssOf(daemon.pid) / 1024 ** 2,
  descriptors: readdirSync(`/proc/${daemon.pid}/fd`).length,
  threads: readdirSync(`/proc/${daemon.pid}/task`).length,
  ...(await resourcesAt(metrics)),
  ...(database === undefined ? {} : rowsOf(daemon, database)),
});

const rssOf = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? Number.NaN) * 1024;

/** What the metrics show: the heap of V8, and timers, sockets, requests (process.getActiveResourcesInfo()). */
const resourcesAt = async (metrics: string): Promise<Record<string, number>> => {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  const heap = Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
  const found: Record<string, number> = { 'heap (MiB)': heap / 1024 ** 2 };
  for (const [, type, value] of text.matchAll(/^nodejs_active_(?:resources|handles|requests)\{type="(\w+)"\} (\d+)$/gm)) found[`resources ${type}`] = Math.max(found[`resources ${type}`] ?? 0, Number(value));
  return found;
};

/** The daemon holds its database alone, so a copy is counted; it stands still while that is made. */
const rowsOf = (daemon: Daemon, path: string): Record<string, number> => {
  const directory = mkdtempSync(join(tmpdir(), 'pe-rows-'));
  try {
    const copy = join(directory, 'peerd.db');
    daemon.signal('SIGSTOP');
    try {
      for (const part of ['', '-wal']) if (existsSync(path + part)) copyFileSync(path + part, copy + part);
    } finally {
      daemon.signal('SIGCONT');
    }
    using database = new DatabaseSync(copy);
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
    return Object.fromEntries(tables.map(({ name }) => [`rows ${String(name)}`, Number(database.prepare(`SELECT count(*) AS count FROM "${String(name)}"`).get()?.['count'])]));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** Files below the directory. */
export const filesIn = (directory: string): number => readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
