import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TestClient } from './support/client.ts';
import { runToEnd, spawnScript, startProcess } from './support/process.ts';
import { temporaryDirectory } from './support/server.ts';

const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

/** Holds a port; when it is taken already, it is as good. */
const occupy = async (host: string, port: number): Promise<number> => {
  const server = createServer();
  const bound = await new Promise<boolean>((resolve) => server.once('listening', () => resolve(true)).once('error', () => resolve(false)).listen(port, host));
  if (bound) onTestFinished(() => void server.close());
  const address = server.address();
  return address === null || typeof address === 'string' ? port : address.port;
};

describe('the process', () => {
  test('SIGTERM: clients are asked to come back within 1 to 5 s, and it exits 0', async () => {
    const server = await startProcess(free);
    const clients = [await TestClient.join(server), await TestClient.join(server), await TestClient.join(server)];
    await TestClient.greet(server, {}, false);
    server.child.kill('SIGTERM');
    for (const client of clients) {
      const close = await client.next('close');
      expect(close.code).toBe('retiring');
      expect(close.retryAfterMs).toBeGreaterThanOrEqual(1_000);
      expect(close.retryAfterMs).toBeLessThanOrEqual(5_000);
      // Nobody is told that the others leave.
      expect(client.messages.every((message) => message.kind !== 'roster-delta' || message.body.removes.length === 0)).toBe(true);
    }
    expect(await server.exited).toBe(0);
    expect(server.lines.at(-1)).toMatchObject({ msg: 'stopped' });
  });

  test('SIGTERM ends in time although a client does not read', async () => {
    const server = await startProcess(free);
    const client = await TestClient.greet(server, {}, false);
    client.register();
    const other = await TestClient.join(server);
    await other.sees(client);
    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(0);
  });

  test('a client that is killed is off the roster at once', async () => {
    const server = await startProcess(free);
    const alice = await TestClient.join(server);
    const script = fileURLToPath(new URL('support/client-process.ts', import.meta.url));
    const child = spawnScript(script, [server.address.host, String(server.address.port), server.id, await temporaryDirectory()]);
    if (!child.stdout) throw new Error('no output');
    const [id] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    await alice.until(() => alice.roster.join() === id);
    child.kill('SIGKILL');
    await alice.sees();
    expect(alice.roster).toEqual([]);
  });

  test('the identity stays over a restart', async () => {
    const stateDir = await temporaryDirectory();
    const first = await startProcess([...free, '--state-dir', stateDir]);
    const alice = await TestClient.join(first);
    const epoch = (await alice.next('registered')).epoch;
    first.child.kill('SIGKILL');
    await Promise.all([first.exited, alice.ended]);
    const second = await startProcess([...free, '--state-dir', stateDir]);
    expect(second.id).toBe(first.id);
    const again = await TestClient.join(second, { identity: alice.identity });
    expect((await again.next('registered')).epoch).toBeGreaterThan(epoch);
  });

  test('a default port in use gives way to a free one, and the log says so', async () => {
    await occupy('0.0.0.0', 12_000);
    await occupy('127.0.0.1', 12_080);
    const server = await startProcess([]);
    expect(server.address.port).not.toBe(12_000);
    expect(server.admin).not.toContain(':12080');
    expect(server.lines.filter(({ level }) => level === 40).length).toBe(2);
    await TestClient.join({ ...server, address: { host: '127.0.0.1', port: server.address.port } });
  });

  test.each(['--listen', '--admin'])('an explicit %s that is in use is an error', async (flag) => {
    const port = await occupy('127.0.0.1', 0);
    const stateDir = await temporaryDirectory();
    const { code, stderr } = await runToEnd(['--state-dir', stateDir, ...free.filter((_, index) => free[index - 1] !== flag && free[index] !== flag), flag, `127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`error: 127\\.0\\.0\\.1:${port} is in use\nhint: .*port`));
  });

  test('a usage error names what is wrong and exits 2', async () => {
    const { code, stderr } = await runToEnd(['--state-dir', await temporaryDirectory(), ...free, '--room-secret-file', '/nonexistent/secret']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*\/nonexistent\/secret.*\nhint: .*\n$/);
  });

  test('--help and --version print to standard output and exit 0', async () => {
    const help = await runToEnd(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const flag of ['--listen', '--admin', '--state-dir', '--max-peers', '--room-secret-file', '--allow-host', '--config']) expect(help.stdout).toContain(flag);
    expect(await runToEnd(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
  });
});
