import { describe, expect, test } from 'vitest';
import { World } from '../harness/world.ts';

const unknown = ['sync', 'frobnicate'];

describe.concurrent('usage', () => {
  test('a command that does not exist is absent from help and exits 2', async () => {
    await using world = await World.create();
    const alice = world.peer('alice');
    const help = await alice.run('--help');
    expect(help.code).toBe(0);
    for (const command of unknown) {
      expect(help.stdout).not.toMatch(new RegExp(`^\\s+${command}\\b`, 'm'));
      expect((await alice.run(command)).code).toBe(2);
    }
  });

  test('without a daemon every command exits 3 and says what to do', async () => {
    await using world = await World.create();
    const alice = world.peer('alice');
    for (const args of [['whoami'], ['peers'], ['inbox'], ['transfers'], ['status'], ['send', 'bob', '/etc/hostname']]) {
      const { code, stderr } = await alice.run(...args);
      expect([args[0], code]).toEqual([args[0], 3]);
      expect(stderr).toContain('hint:');
    }
  });

  test('a second daemon on the same state directory refuses to start', async () => {
    await using world = await World.create();
    const alice = await world.peer('alice', { rendezvous: null }).start();
    const { Daemon, programs } = await import('../harness/process.ts');
    const second = new Daemon('second', programs.peerd, ['--state-dir', `${alice.directory}/state`, '--control', `${alice.directory}/other/s.sock`, '--listen', '127.0.0.1:0', '--metrics', '127.0.0.1:0'], {
      env: alice.environment,
      cwd: alice.directory,
    });
    expect(await second.exited).toBe(1);
    expect(second.log.join('\n')).toContain('state directory');
    expect((await alice.run('whoami')).code).toBe(0);
  });
});
