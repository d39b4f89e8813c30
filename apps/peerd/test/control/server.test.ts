import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { prepareSocketFile } from '../../src/control/socket-file.ts';
import { controlSocket } from '../../src/control/socket-path.ts';
import { controlWorld } from './control-world.ts';

const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-socket-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
};

describe('where the socket is', () => {
  test('what is given, else of systemd, of XDG, else in /tmp', () => {
    const env = { RUNTIME_DIRECTORY: '/run/peerd:/run/other', XDG_RUNTIME_DIR: '/run/user/7' };
    expect(controlSocket('/x/y', env, 7)).toEqual({ path: '/x/y', mode: 0o600 });
    expect(controlSocket(undefined, env, 7)).toEqual({ path: '/run/peerd/peerd.sock', mode: 0o660 });
    expect(controlSocket(undefined, { XDG_RUNTIME_DIR: '/run/user/7' }, 7)).toEqual({ path: '/run/user/7/peerd/peerd.sock', mode: 0o600 });
    expect(controlSocket(undefined, { XDG_RUNTIME_DIR: '' }, 7)).toEqual({ path: '/tmp/peerd-7/peerd.sock', mode: 0o600 });
  });

  test('a path of more than 107 bytes is an error that says so', () => {
    expect(controlSocket(`/${'x'.repeat(106)}`, {}, 7).path).toHaveLength(107);
    expect(() => controlSocket(`/${'x'.repeat(105)}é`, {}, 7)).toThrow(/has 108 bytes/);
  });
});

describe('the socket file', () => {
  test('its directory is made for its owner only', async () => {
    const directory = join(await temporary(), 'a', 'b');
    await prepareSocketFile(join(directory, 's'));
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  test('a directory in which others can write, a link, and what is no directory are refused', async () => {
    const base = await temporary();
    await mkdir(join(base, 'open'));
    await chmod(join(base, 'open'), 0o777);
    await symlink(base, join(base, 'link'));
    await writeFile(join(base, 'file'), '');
    for (const name of ['open', 'link', 'file']) await expect(prepareSocketFile(join(base, name, 's'))).rejects.toMatchObject({ code: 'invalid_settings' });
  });

  test('so is one above which everybody can rename; with the sticky bit nobody can', async () => {
    const base = await temporary();
    const path = join(base, 'mine', 's');
    await chmod(base, 0o777);
    await expect(prepareSocketFile(path)).rejects.toMatchObject({ code: 'invalid_settings', message: expect.stringContaining('sticky') });
    await chmod(base, 0o1777);
    await prepareSocketFile(path);
  });

  test.skipIf(process.getuid?.() !== 0)('one of another user is refused', async () => {
    const directory = join(await temporary(), 'theirs');
    await mkdir(directory, { mode: 0o700 });
    await chown(directory, 65_534, 65_534);
    await expect(prepareSocketFile(join(directory, 's'))).rejects.toMatchObject({ code: 'invalid_settings', message: expect.stringContaining('another user') });
  });

  test('a socket at which nobody answers is removed, one that answers is not, nor a file', async () => {
    const base = await temporary();
    const killed = fork(new URL('./hold-socket.ts', import.meta.url), [join(base, 'stale')], { execArgv: [] });
    await once(killed, 'message');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(await readdir(base)).toEqual(['stale']);
    await prepareSocketFile(join(base, 'stale'));
    expect(await readdir(base)).toEqual([]);

    const server = createServer((socket) => socket.end()).listen(join(base, 'alive'));
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    await expect(prepareSocketFile(join(base, 'alive'))).rejects.toMatchObject({ code: 'address_in_use' });
    await writeFile(join(base, 'file'), 'precious');
    await expect(prepareSocketFile(join(base, 'file'))).rejects.toMatchObject({ code: 'invalid_settings' });
    expect(await readdir(base)).toEqual(['alive', 'file']);
  });
});

describe('the server', () => {
  test('its socket is for its owner only, and is gone when it is closed', async () => {
    const world = await controlWorld();
    expect((await stat(world.socket)).mode & 0o777).toBe(0o600);
    await world.close();
    await expect(stat(world.socket)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('describes its routes', async () => {
    const world = await controlWorld();
    const { body } = await world.call('GET', '/openapi.json');
    expect(body).toMatchObject({ openapi: '3.1.0', paths: { '/v1/peers': { get: {} }, '/v1/peers/{peer}/connect': { post: { requestBody: {} } }, '/v1/contacts': { post: {} } } });
  });

  test('what it does not know or cannot read is an error document', async () => {
    const world = await controlWorld();
    expect(await world.call('GET', '/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'not_found', hint: expect.stringContaining('/openapi.json') } } });
    expect(await world.call('POST', '/v1/contacts', 'text')).toMatchObject({ status: 400, body: { error: { code: 'invalid_argument' } } });
    expect(await world.call('POST', '/v1/contacts')).toMatchObject({ status: 400, body: { error: { code: 'invalid_argument' } } });
  });
});
