import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InboxResponse, MessagesResponse, PeersResponse, SendMessageResponse, SendResponse, StatusResponse } from '@peerd/protocol';
import { createLogger, type Logger, readSettings } from '@peerd/service';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createDaemon, type PeerDaemon } from '../src/daemon.ts';
import { program } from '../src/settings.ts';
import { call } from './unix-http.ts';

const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'pd-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

const start = async (directory: string, name: string, args: readonly string[] = [], logger: Logger = createLogger('test', 'silent')): Promise<PeerDaemon> => {
  const home = join(directory, name);
  const argv = ['--name', name, '--state-dir', join(home, 'state'), '--control', join(home, 'run', 's'), '--download-dir', join(home, 'in'), '--metrics', '127.0.0.1:0', '--listen', '127.0.0.1:0', ...args];
  const result = readSettings(program, { argv, env: {}, write: () => {} });
  if (result.kind !== 'settings') throw new Error('no settings');
  const daemon = await createDaemon(result.settings, { logger, env: {}, onFatal: (reason) => expect.unreachable(reason.message) });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= daemon.stop());
  onTestFinished(stop);
  return { ...daemon, stop };
};

const patience = { timeout: 20_000, interval: 100 };

const at = (daemon: PeerDaemon): string => `${daemon.id}@127.0.0.1:${daemon.listen.port}`;

/** Two daemons that know each other by id and address. */
const pair = async (): Promise<{ directory: string; alice: PeerDaemon; bob: PeerDaemon }> => {
  const directory = await temporary();
  const [alice, bob] = await Promise.all([start(directory, 'alice'), start(directory, 'bob')]);
  await call(alice.control, 'POST', '/v1/contacts', { peer: at(bob), name: 'bob' });
  await call(bob.control, 'POST', '/v1/contacts', { peer: at(alice), name: 'alice' });
  return { directory, alice, bob };
};

describe('the daemon', () => {
  test('a control socket of systemd and another one in the settings: refused', async () => {
    const env = { LISTEN_PID: String(process.pid), LISTEN_FDS: '1', LISTEN_FDNAMES: 'control' };
    const home = await temporary();
    const result = readSettings(program, { argv: ['--state-dir', home, '--download-dir', home, '--control', join(home, 's')], env: {}, write: () => {} });
    if (result.kind !== 'settings') throw new Error('no settings');
    const starting = createDaemon(result.settings, { logger: createLogger('test', 'silent'), env, onFatal: () => {} });
    await expect(starting).rejects.toMatchObject({ code: 'invalid_settings', message: expect.stringContaining('systemd') });
  });

  test('a grant that cannot be meant is refused, and none is made', async () => {
    const directory = await temporary();
    const daemon = await start(directory, 'alice');
    const bob = 'b'.repeat(52);
    await call(daemon.control, 'POST', '/v1/contacts', { peer: `${bob}@127.0.0.1:1`, name: 'bob' });
    const wrong: readonly [Record<string, unknown>, string][] = [
      [{ kind: 'block', maxBytes: 1 }, 'goes with auto'], [{ kind: 'auto', match: 'a/b' }, 'slash'], [{ kind: 'auto', until: 1 }, 'is over already'], [{ kind: 'auto', into: join(directory, 'nowhere') }, 'does not exist'],
    ];
    for (const [policy, why] of wrong)
      expect(await call(daemon.control, 'POST', `/v1/peers/${bob}/policy`, policy)).toMatchObject({ status: 400, body: { error: { code: 'invalid_argument', message: expect.stringContaining(why) } } });
    expect((await call(daemon.control, 'GET', `/v1/peers/${bob}/policy`)).body).toMatchObject({ policy: { kind: 'ask', own: false } });
  });

  test('comes up, tells where, and says who it is', async () => {
    const directory = await temporary();
    const logger = createLogger('test', 'silent');
    const [info, warn] = [vi.spyOn(logger, 'info'), vi.spyOn(logger, 'warn')];
    const daemon = await start(directory, 'alice', ['--accept', 'auto'], logger);
    expect(info).toHaveBeenCalledWith({ id: daemon.id, name: 'alice', listen: `127.0.0.1:${daemon.listen.port}`, control: daemon.control, metrics: daemon.metrics, version: '0.0.0' }, 'peerd is up');
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('accept = auto'));
    expect((await call(daemon.control, 'GET', '/v1/whoami')).body).toEqual({ id: daemon.id, shortId: daemon.id.slice(0, 8), name: 'alice' });
    expect((await call<StatusResponse>(daemon.control, 'GET', '/v1/status')).body).toEqual({
      version: '0.0.0', id: daemon.id, name: 'alice', room: 'lobby', listen: [`127.0.0.1:${daemon.listen.port}`], metrics: daemon.metrics, rendezvous: [], links: [],
      transfers: { active: 0, waiting: 0, inbox: 0 }, messages: { queued: 0, strangers: 0 }, downloadDir: join(directory, 'alice', 'in'), accept: 'auto',
    });
    const figures = await (await fetch(`http://${daemon.metrics}/metrics`)).text();
    expect(figures).toContain('peerd_build_info{version="0.0.0"} 1');
    expect(figures).toContain('peerd_control_requests_total{method="GET",route="/v1/status",status="2xx"} 1');
    expect(await (await fetch(`http://${daemon.metrics}/readyz`)).json()).toEqual({ status: 'ready' });
  });

  test('a second one on the same state directory is refused, whatever its other settings', async () => {
    const directory = await temporary();
    await start(directory, 'alice');
    await expect(start(directory, 'other', ['--state-dir', join(directory, 'alice', 'state')])).rejects.toMatchObject({ code: 'state_locked' });
  });

  test('a failed start leaves nothing behind: the same settings work when the reason is gone', async () => {
    const directory = await temporary();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    for (const flag of ['--listen', '--metrics']) await expect(start(directory, 'alice', [flag, `127.0.0.1:${port}`])).rejects.toMatchObject({ code: 'address_in_use' });
    const alive = await start(directory, 'bob');
    await expect(start(directory, 'alice', ['--control', alive.control])).rejects.toMatchObject({ code: 'address_in_use' });
    taken.close();
    await start(directory, 'alice', ['--listen', `127.0.0.1:${port}`]);
  });

  test('its identity, contacts and socket outlive a restart', async () => {
    const directory = await temporary();
    const first = await start(directory, 'alice');
    await call(first.control, 'POST', '/v1/contacts', { peer: `${'b'.repeat(52)}@192.0.2.1:1`, name: 'bob' });
    await first.stop();
    await expect(call(first.control, 'GET', '/v1/whoami')).rejects.toThrow(/ENOENT/);
    const second = await start(directory, 'alice');
    expect(second.id).toBe(first.id);
    expect((await call<PeersResponse>(second.control, 'GET', '/v1/peers')).body.peers).toMatchObject([{ name: 'bob', state: 'offline', trust: 'pinned', addresses: ['192.0.2.1:1'] }]);
  });

  test('a corrupt database is set aside with a loud line, and the daemon starts', async () => {
    const directory = await temporary();
    const first = await start(directory, 'alice');
    await first.stop();
    const path = join(directory, 'alice', 'state', 'peerd.db');
    await writeFile(path, Buffer.concat([(await readFile(path)).subarray(0, 2_000), Buffer.alloc(20_000, 7)]));
    const logger = createLogger('test', 'silent');
    const error = vi.spyOn(logger, 'error');
    const second = await start(directory, 'alice', [], logger);
    expect(second.id).toBe(first.id);
    expect(error).toHaveBeenCalledWith({ path: expect.stringContaining('peerd.db.corrupt-'), restored: 0 }, expect.stringContaining('DAMAGED'));
  });
});

describe('two daemons without any rendezvous', () => {
  test('link by ID@HOST:PORT, chat both ways, and disconnect', async () => {
    const { alice, bob } = await pair();
    expect((await call(alice.control, 'POST', '/v1/peers/bob/connect')).body).toMatchObject({ peer: { id: bob.id }, state: 'linked', address: `127.0.0.1:${bob.listen.port}` });
    expect((await call<SendMessageResponse>(alice.control, 'POST', '/v1/messages', { peer: 'bob', text: 'hello' })).body).toMatchObject({ state: 'delivered' });
    expect((await call<SendMessageResponse>(bob.control, 'POST', '/v1/messages', { peer: 'alice', text: 'hi' })).body).toMatchObject({ state: 'delivered' });
    expect((await call<MessagesResponse>(bob.control, 'GET', '/v1/messages?peer=alice')).body.messages).toMatchObject([
      { direction: 'received', text: 'hello', stranger: false }, { direction: 'sent', text: 'hi', state: 'delivered' },
    ]);
    expect((await call<StatusResponse>(bob.control, 'GET', '/v1/status')).body.links).toMatchObject([{ peer: { id: alice.id, name: 'alice' }, dialled: false }]);
    expect((await call(alice.control, 'POST', '/v1/peers/bob/disconnect')).body).toMatchObject({ state: 'disconnected' });
    expect((await call<PeersResponse>(alice.control, 'GET', '/v1/peers')).body.peers).toMatchObject([{ name: 'bob', state: 'offline' }]);
  });

  test('a message to a peer that is away is delivered when it is back', async () => {
    const { directory, alice, bob } = await pair();
    await call(alice.control, 'POST', '/v1/peers/bob/connect');
    await bob.stop();
    await vi.waitFor(async () => expect((await call<StatusResponse>(alice.control, 'GET', '/v1/status')).body.links).toEqual([]), patience);
    expect((await call<SendMessageResponse>(alice.control, 'POST', '/v1/messages', { peer: 'bob', text: 'later' })).body).toMatchObject({ state: 'queued' });
    const again = await start(directory, 'bob', ['--listen', `127.0.0.1:${bob.listen.port}`]);
    await vi.waitFor(
      async () => expect((await call<MessagesResponse>(again.control, 'GET', '/v1/messages')).body.messages).toMatchObject([{ text: 'later' }]),
      patience,
    );
  });

  test('one that is no contact and was not introduced gets no link', async () => {
    const directory = await temporary();
    const [alice, bob] = await Promise.all([start(directory, 'alice'), start(directory, 'bob')]);
    await call(alice.control, 'POST', '/v1/contacts', { peer: at(bob), name: 'bob' });
    expect(await call(alice.control, 'POST', '/v1/peers/bob/connect', { timeoutMs: 1_500 })).toMatchObject({ status: 409, body: { error: { code: expect.stringMatching(/not_introduced|peer_unreachable/) } } });
    expect((await call<StatusResponse>(bob.control, 'GET', '/v1/status')).body.links).toEqual([]);
  });

  test('a directory is offered, accepted, and arrives; both sides have the same end', async () => {
    const { directory, alice, bob } = await pair();
    const source = join(directory, 'things');
    await mkdir(join(source, 'empty'), { recursive: true });
    await writeFile(join(source, 'file'), Buffer.alloc(3_000_000, 'x'));
    const sent = await call<SendResponse>(alice.control, 'POST', '/v1/transfers', { peers: ['bob'], paths: [source] });
    const id = sent.body.transfers[0]?.id;
    const inbox = async (): Promise<InboxResponse> => (await call<InboxResponse>(bob.control, 'GET', '/v1/inbox')).body;
    await vi.waitFor(async () => expect((await inbox()).offers).toMatchObject([{ id, from: { id: alice.id, name: 'alice' }, trust: 'pinned', names: ['things'] }]), patience);
    expect((await call<StatusResponse>(bob.control, 'GET', '/v1/status')).body.transfers).toEqual({ active: 0, waiting: 0, inbox: 1 });
    expect((await call(bob.control, 'POST', `/v1/inbox/${id}/accept`)).body).toMatchObject({ state: 'accepted' });
    for (const daemon of [alice, bob])
      await vi.waitFor(async () => expect((await call(daemon.control, 'GET', `/v1/transfers/${id}`)).body).toMatchObject({ state: 'done', receipt: { verified: true } }), patience);
    expect(await readFile(join(directory, 'bob', 'in', 'things', 'file'))).toEqual(await readFile(join(source, 'file')));
    expect(await (await fetch(`http://${alice.metrics}/metrics`)).text()).toContain('peerd_transfers_total{direction="send",outcome="done"} 1');
  });
});
