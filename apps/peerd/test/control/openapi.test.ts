import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, readSettings } from '@peerd/service';
import { expect, onTestFinished, test } from 'vitest';
import { describedRoutes, watchRoutes } from '../../../../packages/service/test/support/openapi.ts';
import { createDaemon } from '../../src/daemon.ts';
import { program } from '../../src/settings.ts';
import { call } from '../unix-http.ts';

test('/openapi.json describes the routes of the daemon, all of them and no other', async () => {
  const home = await mkdtemp(join(tmpdir(), 'pd-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const argv = ['--state-dir', join(home, 'state'), '--control', join(home, 's'), '--download-dir', home, '--metrics', '127.0.0.1:0', '--listen', '127.0.0.1:0'];
  const read = readSettings(program, { argv, env: {}, write: () => {} });
  if (read.kind !== 'settings') throw new Error('no settings');
  using watched = watchRoutes();
  const daemon = await createDaemon(read.settings, { logger: createLogger('test', 'silent'), env: {}, onFatal: (reason) => expect.unreachable(reason.message) });
  onTestFinished(() => daemon.stop());
  const control = await describedRoutes((await call(daemon.control, 'GET', '/openapi.json')).body);
  const metrics = await describedRoutes(await (await fetch(`http://${daemon.metrics}/openapi.json`, { headers: { connection: 'close' } })).json());
  expect([...metrics].toSorted()).toEqual(['GET /healthz', 'GET /metrics', 'GET /openapi.json', 'GET /readyz']);
  expect(control).toContain('POST /v1/peers/{peer}/connect');
  expect(new Set([...control, ...metrics])).toEqual(watched.routes);
});
