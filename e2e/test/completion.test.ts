import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programs } from '../harness/process.ts';
import { World } from '../harness/world.ts';

test('completion: the script of each shell, and what it is told of peers and ids', async () => {
  await using world = await World.create();
  await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
  for (const shell of ['bash', 'zsh', 'fish']) expect((await alice.run('completion', shell)).stdout).toContain('__complete');
  expect((await alice.run('completion', 'tcsh')).code).toBe(2);
  const { stdout: script } = await alice.run('completion', 'bash');
  execFileSync('bash', ['-n'], { input: script });

  await writeFile(join(alice.directory, 'report.pdf'), 'x');
  await alice.run('send', 'bob', 'report.pdf', '--detach');
  const { id } = await bob.seesTransfer(({ state }) => state === 'offered');
  const complete = (peer: typeof bob, ...words: string[]): string[] =>
    execFileSync(process.execPath, [programs.peerctl, '__complete', 'fish', 'peerctl', ...words], { encoding: 'utf8', env: { ...peer.environment, PEERCTL_SOCKET: peer.socket } }).trimEnd().split('\n');
  expect(complete(alice, 'connect', 'b')).toEqual(['none', expect.stringMatching(/^bob\tonline|^bob\tlinked/)]);
  expect(complete(bob, 'accept', '')).toEqual(['none', `${id}\talice: report.pdf`]);
  expect(complete(bob, 'show', id.slice(0, 5))).toEqual(['none', expect.stringContaining(id)]);
  expect((await bob.run('reject', id)).code).toBe(0);
  expect(complete(bob, 'accept', '')).toEqual(['none']);
});
