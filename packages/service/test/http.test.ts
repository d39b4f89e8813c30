import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { PeerdError } from '@peerd/protocol';
import { Counter } from 'prom-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bindHttp, createHttp, createRegistry, errorBody, type HttpOptions, httpStatus } from '../src/index.ts';

const serve = async (more: Partial<HttpOptions> = {}): Promise<number> => {
  const app = createHttp({ title: 'test', version: '1.0.0', registry: createRegistry(), notReady: () => undefined, allowedHosts: [], ...more });
  onTestFinished(() => app.close());
  const address = await bindHttp(app, { host: '127.0.0.1', port: 0 }, true);
  return Number(address.split(':')[1]);
};

const get = async (port: number, path: string, host = '127.0.0.1'): Promise<{ status: number; type: string; body: string }> => {
  const sent = request({ host: '127.0.0.1', port, path, agent: false, headers: { host } }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body: await readText(response) };
};

describe('the HTTP endpoint of a daemon', () => {
  test('/metrics in the text format, without the misnamed ones of the library', async () => {
    const registry = createRegistry();
    new Counter({ name: 'example_total', help: 'x', registers: [registry] }).inc();
    const { status, type, body } = await get(await serve({ registry }), '/metrics');
    expect([status, type]).toEqual([200, expect.stringContaining('text/plain')]);
    expect(body).toContain('example_total 1');
    expect(body).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(body).not.toMatch(/nodejs_active_(handles|requests|resources)_total/);
  });

  test('/healthz says that it lives, /readyz why it is not ready', async () => {
    let reason: string | undefined = 'still starting';
    const port = await serve({ notReady: () => reason });
    expect(await get(port, '/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(await get(port, '/readyz')).toMatchObject({ status: 503, body: '{"status":"not_ready","reason":"still starting"}' });
    reason = undefined;
    expect(await get(port, '/readyz')).toMatchObject({ status: 200, body: '{"status":"ready"}' });
  });

  test('only under a name that a web page cannot have made to point here', async () => {
    const port = await serve({ allowedHosts: ['nas.example'] });
    for (const host of ['127.0.0.1', `127.0.0.1:${port}`, 'localhost:1', 'LOCALHOST', '[::1]:80', '192.0.2.1', 'nas.example', 'NAS.example:9']) expect(await get(port, '/healthz', host)).toMatchObject({ status: 200 });
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'xnas.example']) {
      const { status, body } = await get(port, '/metrics', host);
      expect(status).toBe(400);
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'invalid_argument', hint: expect.stringContaining('--allow-host') } });
    }
  });

  test('an unknown route is an error document', async () => {
    expect(JSON.parse((await get(await serve(), '/nothing')).body)).toMatchObject({ error: { code: 'not_found' } });
  });

  test('an explicit port in use is an error, a defaulted one gives way', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const make = () => {
      const app = createHttp({ title: 'test', version: '1.0.0', registry: createRegistry(), notReady: () => undefined, allowedHosts: [] });
      onTestFinished(() => app.close());
      return app;
    };
    await expect(bindHttp(make(), { host: '127.0.0.1', port }, true)).rejects.toMatchObject({ code: 'address_in_use', hint: expect.stringContaining('port 0') });
    const given = await bindHttp(make(), { host: '127.0.0.1', port }, false);
    expect(given).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(given).not.toBe(`127.0.0.1:${port}`);
    await expect(bindHttp(make(), { host: '192.0.2.77', port: 0 }, true)).rejects.toMatchObject({ code: 'invalid_settings', hint: expect.stringContaining('of this machine') });
  });
});

describe('error documents', () => {
  test('of our errors, of the framework, of defects', () => {
    expect(errorBody(new PeerdError('no_space', 'full', { hint: 'Free some.', details: { bytes: 1 } }))).toEqual({
      error: { code: 'no_space', message: 'full', hint: 'Free some.', details: { bytes: 1 } },
    });
    expect(errorBody(Object.assign(new Error('bad body'), { statusCode: 400 }))).toEqual({ error: { code: 'invalid_argument', message: 'bad body', hint: null } });
    expect(errorBody(new TypeError('x is undefined'))).toMatchObject({ error: { code: 'internal' } });
  });

  test('status', () => {
    const statuses = (['invalid_argument', 'not_found', 'no_such_peer', 'conflict', 'shutting_down', 'internal'] as const).map((code) => httpStatus(new PeerdError(code, 'x')));
    expect(statuses).toEqual([400, 404, 404, 409, 503, 500]);
    expect(httpStatus(new Error('x'))).toBe(500);
    expect(httpStatus(Object.assign(new Error('x'), { statusCode: 413 }))).toBe(413);
  });
});

test('over the limit of connections the oldest goes, and a newcomer gets in', async () => {
  const port = await serve();
  const sockets = Array.from({ length: 130 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  expect(await get(port, '/healthz')).toMatchObject({ status: 200 });
  const [oldest, last] = [sockets[0], sockets.at(-1)];
  if (oldest?.closed === false) await once(oldest, 'close');
  expect([oldest?.closed, last?.closed]).toEqual([true, false]);
});

test('a request that comes byte by byte is ended', { timeout: 30_000 }, async () => {
  const socket = connect(await serve(), '127.0.0.1');
  const drip = setInterval(() => socket.write('x'), 500);
  onTestFinished(() => clearInterval(drip));
  socket.write('GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ');
  expect(await readText(socket)).toMatch(/^HTTP\/1\.1 408 /);
});

test('a route that says nothing about itself cannot be added', async () => {
  const app = createHttp({ title: 'test', version: '1.0.0', registry: createRegistry(), notReady: () => undefined, allowedHosts: [] });
  void app.register(async (scope) => scope.get('/silent', async () => ({})));
  await expect(app.ready()).rejects.toThrow(/GET \/silent is not described/);
});
