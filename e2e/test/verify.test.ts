import { verifyEventSchema } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import type { Command, RunResult } from '../harness/process.ts';
import { type Peer, World } from '../harness/world.ts';

interface Contacts {
  contacts: { id: string; trust: string }[];
}

const verify = (peer: Peer, target: string): Command => peer.command(['--json', 'verify', target], { stdin: 'pipe' });
const say = (command: Command, answer: 'yes' | 'no'): void => void command.child.stdin?.end(`${answer}\n`);
const codeOf = async (command: Command): Promise<unknown> => (await command.line((line) => line['event'] === 'code'))['code'];
const trustOf = async (peer: Peer): Promise<string[]> => (await peer.json<Contacts>('contacts')).contacts.map(({ trust }) => trust);
const errorIn = ({ stderr }: RunResult): { code: string } => (JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string } }).error;

/** Both have begun, and both see the code. */
const comparing = async (world: World): Promise<{ alice: Peer; bob: Peer; one: Command; other: Command }> => {
  await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
  const asked = bob.daemon?.line((line) => line.msg?.includes('wants to compare codes') ?? false);
  const one = verify(alice, 'bob');
  await one.line((line) => line['event'] === 'waiting');
  await asked;
  expect(await bob.json('inbox')).toMatchObject({ offers: [], verifications: [{ from: { id: alice.id, name: 'alice' }, trust: 'new' }] });
  expect((await bob.run('inbox')).stdout).toContain('peerctl verify');
  const other = verify(bob, 'alice');
  expect(await codeOf(one)).toBe(await codeOf(other));
  expect(await bob.json('inbox')).toMatchObject({ verifications: [] });
  return { alice, bob, one, other };
};

describe.concurrent('verify', () => {
  test('both say yes: verified at both ends, also after a restart', async () => {
    await using world = await World.create();
    const { alice, bob, one, other } = await comparing(world);
    expect([await trustOf(alice), await trustOf(bob)]).toEqual([['pinned'], ['pinned']]);
    const busy = await alice.run('--json', 'verify', 'bob');
    expect([busy.code, errorIn(busy).code]).toEqual([1, 'wrong_state']);
    say(one, 'yes');
    say(other, 'yes');
    for (const command of [one, other]) {
      expect((await command.result).code).toBe(0);
      expect(command.lines.map((line) => verifyEventSchema.parse(line).event)).toEqual(['waiting', 'code', 'verified']);
      expect(command.lines[1]).toMatchObject({ code: expect.stringMatching(/^\d{4} \d{4} \d{4}$/) });
    }
    expect([await trustOf(alice), await trustOf(bob)]).toEqual([['verified'], ['verified']]);
    await bob.end();
    await bob.start();
    expect(await trustOf(bob)).toEqual(['verified']);
  });

  test('one says no: told to both, exit 8, nothing is changed', async () => {
    await using world = await World.create();
    const { alice, bob, one, other } = await comparing(world);
    say(one, 'yes');
    say(other, 'no');
    for (const command of [one, other]) {
      const result = await command.result;
      expect([result.code, errorIn(result).code, command.lines.at(-1)]).toEqual([8, 'verify_mismatch', expect.objectContaining({ event: 'mismatch' })]);
    }
    expect([await trustOf(alice), await trustOf(bob)]).toEqual([['pinned'], ['pinned']]);
  });

  test('Ctrl-C gives up at both ends; it can be begun anew', async () => {
    await using world = await World.create();
    const { alice, bob, one, other } = await comparing(world);
    expect((await one.end('SIGINT')).code).toBe(130);
    const given = await other.result;
    expect([given.code, errorIn(given).code, other.lines.at(-1)]).toEqual([6, 'cancelled', expect.objectContaining({ event: 'cancelled' })]);

    const again = [verify(alice, 'bob'), verify(bob, 'alice')] as const;
    expect(await codeOf(again[0])).toBe(await codeOf(again[1]));
    for (const command of again) say(command, 'yes');
    for (const command of again) expect((await command.result).code).toBe(0);
  });

  test('a link that is lost meanwhile ends it at both ends', async () => {
    await using world = await World.create();
    const { alice, one, other } = await comparing(world);
    await alice.json('disconnect', 'bob');
    for (const command of [one, other]) {
      const result = await command.result;
      expect([result.code, errorIn(result).code, command.lines.at(-1)]).toEqual([1, 'link_lost', expect.objectContaining({ event: 'failed' })]);
    }
  });
});
