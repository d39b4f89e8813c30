import { appendFile, chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../harness/world.ts';

interface Check {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  message: string;
  hint: string | null;
}

const statesOf = (stdout: string): Record<string, string> => Object.fromEntries((JSON.parse(stdout) as { checks: Check[] }).checks.map(({ name, state }) => [name, state]));

describe.concurrent('doctor', () => {
  test('a healthy peer, then one with a key that others can read and settings that it would refuse', async () => {
    await using world = await World.create();
    const rendezvous = await world.rendezvous();
    const alice = world.peer('alice');
    const settings = join(alice.directory, 'peerd.toml');
    await mkdir(alice.directory, { recursive: true });
    await writeFile(settings, 'after_connect = "stay"\n');
    await alice.start('--config', settings);
    await world.peersInOneRoom(['bob']);
    await alice.seesPeers((seen) => seen.length === 1);
    const healthy = await alice.run('--json', 'doctor');
    expect([healthy.code, statesOf(healthy.stdout)]).toMatchObject([0, { daemon: 'ok', 'control-socket': 'ok', settings: 'ok', 'identity-key': 'ok', listening: 'ok', candidates: 'ok', [`rendezvous:${rendezvous.address}`]: 'ok', clock: 'ok' }]);

    await chmod(join(alice.directory, 'state', 'identity.key'), 0o644);
    await appendFile(settings, 'rom = "attic"\n');
    const ill = await alice.run('doctor');
    expect(ill.code).toBe(1);
    expect(ill.stdout).toMatch(/^fail {2}identity-key .*0644/m);
    expect(ill.stdout).toMatch(/^fail {2}settings .*rom is no setting/m);
    expect(ill.stdout).toMatch(/do: .*chmod 600/);
    expect(ill.stdout).toContain('2 failures');

    await rendezvous.end('SIGKILL');
    const watch = alice.command(['--json', 'peers', '--watch']);
    await watch.line((line) => (line['peers'] as unknown[]).length === 0);
    await watch.end();
    expect(statesOf((await alice.run('--json', 'doctor')).stdout)).toMatchObject({ [`rendezvous:${rendezvous.address}`]: 'fail' });
  });

  test('without a daemon: what can be told, and exit 3', async () => {
    await using world = await World.create();
    const alice = world.peer('alice');
    const key = join(alice.directory, '.local', 'state', 'peerd', 'identity.key');
    await mkdir(join(key, '..'), { recursive: true });
    await writeFile(key, '', { mode: 0o644 });
    const { code, stdout } = await alice.run('--json', 'doctor');
    expect([code, statesOf(stdout)]).toMatchObject([3, { daemon: 'fail', 'control-socket': 'fail', 'identity-key': 'fail' }]);
    for (const { state, hint } of (JSON.parse(stdout) as { checks: Check[] }).checks) expect(hint === null).toBe(state === 'ok');
  });
});
