import { readFile, stat, writeFile, chmod } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { startServer, temporaryDirectory, type TestServer } from '../support/server.ts';

const tokenOf = async (server: TestServer): Promise<string> => (await readFile(join(server.stateDir, 'admin-token'), 'utf8')).trim();
const remove = async (server: TestServer, id: string, authorization?: string) => {
  const response = await fetch(`http://${server.admin}/v1/peers/${id}`, { method: 'DELETE', headers: { connection: 'close', ...(authorization === undefined ? {} : { authorization }) } });
  return { status: response.status, body: (await response.json()) as { error?: { code: string; hint: string }; removed?: { id: string } } };
};

describe('admin port', () => {
  test('health, readiness and metrics are open', async () => {
    const server = await startServer();
    expect(await server.get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await server.get('/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
    const text = await (await fetch(`http://${server.admin}/metrics`, { headers: { connection: 'close' } })).text();
    for (const name of ['rendezvous_connections', 'rendezvous_registered_peers', 'rendezvous_rooms', 'rendezvous_queue_bytes', 'rendezvous_roster_fan_out_clients_bucket', 'process_cpu_seconds_total'])
      expect(text).toContain(`\n${name}`);
  });

  test('lists peers, also of one room', async () => {
    const server = await startServer();
    const alice = await TestClient.join(server, { name: 'alice' });
    await TestClient.join(server, { name: 'bob', room: 'other' });
    const { body } = await server.get('/v1/peers?room=lobby');
    expect(body).toMatchObject({
      maxPeers: 100,
      peers: [{ id: alice.id, name: 'alice', room: 'lobby', agent: 'test/1', observedHost: '127.0.0.1', queuedBytes: expect.any(Number) as number, addresses: [{ host: '192.0.2.7', port: 12_001, kind: 'host' }, { host: '127.0.0.1', port: 12_001, kind: 'observed' }] }],
    });
    expect(((await server.get('/v1/peers')).body as { peers: unknown[] }).peers.length).toBe(2);
  });

  test('removes a peer, with the token only', async () => {
    const server = await startServer();
    const alice = await TestClient.join(server);
    const bob = await TestClient.join(server);
    await alice.sees(bob);
    const token = await tokenOf(server);
    for (const authorization of [undefined, 'Bearer wrong', `Bearer ${token}x`, `Bearer ${'x'.repeat(token.length)}`, `Basic ${token}`, 'Bearer ']) {
      const refusal = await remove(server, bob.id, authorization);
      expect([refusal.status, refusal.body.error?.code]).toEqual([401, 'unauthorized']);
      expect(refusal.body.error?.hint).toContain('admin-token');
    }
    expect(await remove(server, bob.id, `Bearer ${token}`)).toMatchObject({ status: 200, body: { removed: { id: bob.id } } });
    const close = await bob.next('close');
    expect(close).toMatchObject({ code: 'removed', retryAfterMs: 60_000 });
    await Promise.all([bob.ended, alice.sees()]);
    expect(await remove(server, bob.id, `Bearer ${token}`)).toMatchObject({ status: 404, body: { error: { code: 'no_such_peer' } } });
    expect(await remove(server, 'nonsense', `Bearer ${token}`)).toMatchObject({ status: 400, body: { error: { code: 'invalid_argument' } } });
  });

  test('off loopback reads need the token too', async () => {
    const server = await startServer({ admin: { host: '0.0.0.0', port: 0 } });
    const port = server.admin.split(':').at(-1);
    const read = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/v1/peers`, { headers: { connection: 'close', ...headers } })).status;
    expect(await read({})).toBe(401);
    expect(await read({ authorization: `Bearer ${await tokenOf(server)}` })).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { connection: 'close' } })).status).toBe(200);
  });

  test('a name that could be pointed here is refused, an allowed one is not', async () => {
    const server = await startServer({ allowHost: ['rendezvous.example'] });
    const [, port = ''] = server.admin.split(':');
    const status = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: Number(port), path: '/v1/peers', headers: { host }, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject).end();
      });
    expect([await status('evil.example'), await status(`rendezvous.example:${port}`), await status('localhost')]).toEqual([400, 200, 200]);
  });

  test('the token is private, stays, and a readable one is refused', async () => {
    const stateDir = await temporaryDirectory();
    const first = await startServer({ stateDir });
    const path = join(stateDir, 'admin-token');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const token = await tokenOf(first);
    expect(token.length).toBeGreaterThanOrEqual(43);
    await first.stop();
    const second = await startServer({ stateDir });
    expect([await tokenOf(second), second.id]).toEqual([token, first.id]);
    await second.stop();
    await chmod(path, 0o640);
    await expect(startServer({ stateDir })).rejects.toMatchObject({ code: 'invalid_settings' });
    await chmod(path, 0o600);
    await writeFile(path, '\n');
    await expect(startServer({ stateDir })).rejects.toMatchObject({ code: 'invalid_settings' });
  });
});
