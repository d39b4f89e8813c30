import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../harness/world.ts';

interface Inbox {
  offers: { id: string }[];
  introductions: { id: string; from: { id: string; name: string }; trust: string }[];
}
const codeIn = (stderr: string): string => (JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string } }).error.code;

describe.concurrent('introductions = ask', () => {
  test('a stranger waits in the inbox; accept makes it a contact and links; what it has queued goes on', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const alice = await world.peer('alice').start();
    const bob = await world.peer('bob', { args: ['--introductions', 'ask'] }).start();
    await alice.seesPeers((seen) => seen.some(({ id }) => id === bob.id));
    await writeFile(join(alice.directory, 'note'), 'hi');

    const told = bob.daemon?.line((line) => line.msg === 'introduction' && line['verdict'] === 'pending');
    const send = alice.command(['--json', 'send', 'bob', 'note']);
    await told;
    const before = await bob.json<Inbox>('inbox');
    expect(before).toMatchObject({ offers: [], introductions: [{ from: { id: alice.id, name: 'alice' }, trust: 'new' }] });
    expect((await bob.run('inbox')).stdout).toMatch(/alice[\s\S]*peerctl accept/);
    expect(await bob.json('status')).toMatchObject({ links: [] });

    await bob.end();
    await bob.start();
    expect(await bob.json<Inbox>('inbox')).toEqual(before);
    const id = before.introductions[0]?.id ?? '';
    await bob.seesPeers((seen) => seen.some((peer) => peer.id === alice.id && peer.state === 'online'));
    expect(await bob.json('accept', id.slice(0, 20))).toMatchObject({ introduction: { id, from: { name: 'alice' } }, state: 'accepted' });
    const { id: transfer } = await send.line((line) => line['event'] === 'offered');
    expect(await bob.json('contacts')).toMatchObject({ contacts: [{ id: alice.id, trust: 'pinned' }] });
    expect(await bob.json<Inbox>('inbox')).toMatchObject({ offers: [{ id: transfer }], introductions: [] });
    await bob.json('accept', '--all');
    expect((await send.result).code).toBe(0);
  });

  test('connect waits for the person; reject refuses, also at the next attempt; accept --all takes both kinds', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const alice = await world.peer('alice').start();
    const bob = await world.peer('bob', { args: ['--introductions', 'ask'] }).start();
    const carol = await world.peer('carol').start();
    for (const peer of [alice, carol]) await peer.seesPeers((seen) => seen.some(({ id }) => id === bob.id));

    const asked = bob.daemon?.line((line) => line.msg === 'introduction' && line['peer'] === carol.id);
    const connect = carol.command(['--json', 'connect', 'bob']);
    await asked;
    const { introductions } = await bob.json<Inbox>('inbox');
    expect(await bob.json('reject', introductions[0]?.id ?? '')).toMatchObject({ introduction: { from: { id: carol.id } }, state: 'rejected' });
    expect(await bob.json<Inbox>('inbox')).toMatchObject({ introductions: [] });
    const gone = await bob.run('--json', 'accept', introductions[0]?.id ?? '');
    expect([gone.code, codeIn(gone.stderr)]).toEqual([1, 'not_found']);
    // Nobody has said no to this attempt: it goes on until its deadline.
    expect((await connect.end('SIGINT')).code).toBe(130);
    const refused = await carol.run('--json', 'connect', 'bob');
    expect([refused.code, codeIn(refused.stderr)]).toEqual([5, 'introduction_refused']);

    const pending = bob.daemon?.line((line) => line.msg === 'introduction' && line['peer'] === alice.id);
    const link = alice.command(['--json', 'connect', 'bob']);
    await pending;
    expect(await bob.json('accept', '--all')).toMatchObject({ results: [{ introduction: { from: { id: alice.id } }, state: 'accepted' }], errors: [] });
    expect((await link.result).code).toBe(0);
  });
});
