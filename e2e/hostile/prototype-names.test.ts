/** Names that mean something to JavaScript, wherever somebody else may choose text: they are names like any other. */
import { readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reject as rejectMessage } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { ScriptedPeer } from '../harness/scripted-peer.ts';
import { World } from '../harness/world.ts';

const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'] as const;

test('peers, rooms, files, groups of paths, keys of sends, reasons and codes may bear them', async () => {
  await using world = await World.create();
  const rendezvous = await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['__proto__', 'constructor'], { args: ['--room', '__proto__'] });
  expect((await alice.seesPeers((peers) => peers.length === 1))[0]).toMatchObject({ id: bob.id, name: 'constructor' });

  await alice.json('chat', 'constructor', 'valueOf');
  await bob.json('policy', '__proto__', 'auto');
  const [tree, lone] = [join(alice.directory, 'toString'), join(alice.directory, '__proto__.txt')];
  for (const name of names) {
    await mkdir(join(tree, name), { recursive: true });
    await writeFile(join(tree, name, '__proto__'), name);
  }
  await writeFile(lone, '');
  const send = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await alice.run('--json', 'send', 'constructor', ...args);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  };
  const sent = await send(tree, '--id', '__proto__', '--note', '__proto__');
  expect(sent).toMatchObject({ event: 'done', savedAs: ['toString'] });
  // The same again, and not something that every object has.
  expect((await send(tree, '--id', '__proto__'))['id']).toBe(sent['id']);
  expect((await send(lone, '--id', 'constructor'))['id']).not.toBe(sent['id']);
  const received = join(bob.inboxDirectory, 'toString');
  expect((await readdir(received)).sort()).toEqual([...names].sort());
  for (const name of names) expect(readFileSync(join(received, name, '__proto__'), 'utf8')).toBe(name);

  // A code that no registry has, in the words of a peer.
  using mallory = await ScriptedPeer.create(join(world.directory, 'mallory'), 'toString');
  using registration = await mallory.register(rendezvous.address, [await mallory.listen()], '__proto__');
  await alice.seesPeers((peers) => peers.some(({ name }) => name === 'toString'));
  const asked = alice.command(['--json', 'send', 'toString', lone]);
  await mallory.introduced(registration);
  using link = await mallory.accept();
  const { transfer } = await link.next('offer');
  link.say(rejectMessage, { transfer, code: 'constructor', message: '__proto__' });
  const { stderr } = await asked.result;
  const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string; message: string; hint: string } };
  expect(error).toMatchObject({ code: 'constructor', hint: expect.stringMatching(/^`peerctl show /) as string });

  for (const address of [rendezvous.admin, String(alice.logs.map((line) => JSON.parse(line) as { metrics?: string }).find(({ metrics }) => metrics !== undefined)?.metrics)]) {
    const metrics = await (await fetch(`http://${address}/metrics`)).text();
    for (const name of names) expect(metrics).not.toContain(name);
  }
});
