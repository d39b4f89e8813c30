/** Every exit code of the contract, reached by the real program against real daemons. */
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodes } from '@peerd/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Peer, World } from '../harness/world.ts';

interface Outcome {
  readonly code: number;
  readonly stderr: string;
}

let world: World;
let alice: Peer;
let bob: Peer;
let away: Peer;

beforeAll(async () => {
  world = await World.create();
  await world.rendezvous();
  [alice, bob, away] = await world.peersInOneRoom(['alice', 'bob', 'carol']);
  await writeFile(join(alice.directory, 'report.pdf'), 'content');
  // Larger than any disk that is here, and without content.
  await writeFile(join(alice.directory, 'huge.img'), '');
  await truncate(join(alice.directory, 'huge.img'), 4 * 1_024 ** 4);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Sends, waits until the offer is there, and lets `decide` do what it wants with it. */
const sending = async (path: string, decide: (id: string, interrupt: () => void) => Promise<unknown>): Promise<Outcome> => {
  const send = alice.command(['send', 'bob', path]);
  const shown = await bob.seesTransfer(({ state, direction }) => state === 'offered' && direction === 'receive');
  await decide(shown.id, () => void send.child.kill('SIGINT'));
  return send.result;
};

const rows: readonly (readonly [code: number, what: string, reach: () => Promise<Outcome>, says: RegExp])[] = [
  [0, 'accepted and delivered', () => sending('report.pdf', (id) => bob.run('accept', id)), /^/],
  [1, 'a path that is not there', () => alice.run('send', 'bob', 'missing.pdf'), /^error: .*missing\.pdf/],
  [2, 'arguments that are wrong', () => alice.run('send', 'bob'), /missing required argument/],
  [3, 'no daemon', () => world.peer('nobody').run('whoami'), /there is no such socket/],
  [4, 'a peer that nobody knows', () => alice.run('connect', 'zoe'), /no peer "zoe"/],
  [5, 'rejected', () => sending('report.pdf', (id) => bob.run('reject', id, '--reason', 'too late')), /too late/],
  [6, 'cancelled by its sender', () => sending('report.pdf', () => cancelAt(alice)), /cancelled/],
  [7, 'no space for what is accepted', () => acceptHuge(), /too little room/],
  [8, 'another key bears the name of a contact', () => impostor(), /bears the name|another key|changed/i],
  [130, 'interrupted', () => sending('report.pdf', async (_, interrupt) => interrupt()), /goes on/],
];

const cancelAt = async (peer: Peer): Promise<void> => {
  const { id } = await peer.seesTransfer(({ state }) => state === 'offered');
  await peer.run('cancel', id);
};

const acceptHuge = async (): Promise<Outcome> => {
  const { code } = await alice.run('send', 'bob', 'huge.img', '--detach');
  expect(code).toBe(0);
  const { id } = await bob.seesTransfer(({ state, bytes }) => state === 'offered' && bytes > 1_024 ** 4);
  const outcome = await bob.run('accept', id);
  await bob.run('reject', id);
  return outcome;
};

const impostor = async (): Promise<Outcome> => {
  expect((await alice.run('trust', 'carol')).code).toBe(0);
  await away.end();
  await rm(join(away.directory, 'state'), { recursive: true });
  const other = await away.start();
  await alice.seesPeers((seen) => seen.some(({ id }) => id === other.id));
  return alice.run('send', 'carol', 'report.pdf');
};

describe('exit codes', () => {
  // One after the other: they share the peers.
  for (const [code, what, reach, says] of rows)
    test(`${code}: ${what}`, async () => {
      const outcome = await reach();
      expect(outcome.stderr).toMatch(says);
      expect([outcome.code, outcome.stderr]).toEqual([code, outcome.stderr]);
    });

  test('there is no other', () => {
    expect(new Set(rows.map(([code]) => code))).toEqual(new Set([0, ...Object.values(errorCodes).map(({ exit }) => exit)]));
  });
});
