/** What a quick command loads decides how fast it starts; times depend on the machine, this does not. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { whoamiResponseSchema } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { TestDaemon } from './support/daemon.ts';
import { alice } from './support/fixtures.ts';
import { command } from './support/peerctl.ts';

const report = `process.on('exit', () => {
  const bytes = Object.values(require.cache).reduce((sum, { filename }) => sum + require('node:fs').statSync(filename).size, 0);
  process.stderr.write(JSON.stringify({ bytes, builtins: process.moduleLoadList.filter((name) => /^NativeModule (http|_http_client|https|child_process|readline|crypto|worker_threads)$/.test(name)) }));
});`;

test('whoami loads neither an HTTP client nor schemas', async () => {
  await using daemon = await TestDaemon.start();
  daemon.on('GET /v1/whoami', whoamiResponseSchema, { id: alice.id, shortId: alice.id.slice(0, 8), name: 'alice' });
  const preload = join(daemon.directory, 'report.cjs');
  await writeFile(preload, report);
  const { stdout, stderr } = await promisify(execFile)(command[0] ?? '', ['--require', preload, ...command.slice(1), '--socket', daemon.socket, 'whoami', '--json'], { env: {} });
  expect(JSON.parse(stdout)).toMatchObject({ name: 'alice' });
  const { bytes, builtins } = JSON.parse(stderr) as { bytes: number; builtins: string[] };
  expect(builtins).toEqual([]);
  expect(bytes).toBeLessThan(250_000);
});
