/** What a command loads decides how fast it starts; times depend on the machine, this does not. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sendResponseSchema, whoamiResponseSchema } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { TestDaemon } from './support/daemon.ts';
import { alice, transfer } from './support/fixtures.ts';
import { command } from './support/peerctl.ts';

const report = `process.on('exit', () => {
  const files = Object.keys(require.cache).length;
  const bytes = Object.values(require.cache).reduce((sum, { filename }) => sum + require('node:fs').statSync(filename).size, 0);
  process.stderr.write(JSON.stringify({ files, bytes, builtins: process.moduleLoadList.filter((name) => /^NativeModule (http|_http_client|https|child_process|readline|crypto|worker_threads)$/.test(name)) }));
});`;

interface Loaded {
  readonly files: number;
  readonly bytes: number;
  readonly builtins: string[];
}

const run = async (daemon: TestDaemon, ...args: string[]): Promise<{ stdout: string; loaded: Loaded }> => {
  const preload = join(daemon.directory, 'report.cjs');
  await writeFile(preload, report);
  const { stdout, stderr } = await promisify(execFile)(command[0] ?? '', ['--require', preload, ...command.slice(1), '--socket', daemon.socket, ...args, '--json'], { env: {} });
  return { stdout, loaded: JSON.parse(stderr) as Loaded };
};

test('whoami loads neither an HTTP client nor schemas', async () => {
  await using daemon = await TestDaemon.start();
  daemon.on('GET /v1/whoami', whoamiResponseSchema, { id: alice.id, shortId: alice.id.slice(0, 8), name: 'alice' });
  const { stdout, loaded } = await run(daemon, 'whoami');
  expect(JSON.parse(stdout)).toMatchObject({ name: 'alice' });
  expect(loaded.builtins).toEqual([]);
  expect(loaded.bytes).toBeLessThan(250_000);
});

test('a send that is followed to its end loads no more than one further file', async () => {
  await using daemon = await TestDaemon.start();
  daemon.on('POST /v1/transfers', sendResponseSchema, () => {
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'done' }), savedAs: ['/a'] });
    return { transfers: [transfer()], skipped: [], warnings: [] };
  });
  const { stdout, loaded } = await run(daemon, 'send', 'bob', '/');
  expect(stdout).toContain('"event":"done"');
  expect(loaded.builtins).toEqual([]);
  // main, the bundler's runtime, send; and what reports this.
  expect(loaded.files).toBe(4);
});
