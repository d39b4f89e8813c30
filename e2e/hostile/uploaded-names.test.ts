/** Names that would steer a terminal, in trees that peerctl uploads because peerd may not read them: what both sides say of them. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canChangeUser, ofAnotherUser } from '../harness/another-user.ts';
import { diffTrees } from '../harness/files.ts';
import { Command, programs, type RunResult } from '../harness/process.ts';
import { type Peer, World } from '../harness/world.ts';
import { evilNames, legalName, steering, steeringOnTerminal, stringsIn } from './evil-text.ts';

describe.runIf(canChangeUser)('trees that are uploaded (needs root: peerd runs as another user)', () => {
  test('nothing of a name steers, at the sender and at the receiver, and it arrives as it is', async () => {
    await using world = await World.create();
    chmodSync(world.directory, 0o711);
    await world.rendezvous();
    const bob = await world.peer('bob').start();
    const alice = await ofAnotherUser(world, 'alice').start();
    await alice.seesPeers((peers) => peers.some(({ id }) => id === bob.id));
    const home = join(world.directory, 'home');
    mkdirSync(home);
    for (const tree of evilNames) {
      mkdirSync(join(home, tree, tree), { recursive: true });
      for (const name of [...evilNames, legalName]) writeFileSync(join(home, tree, tree, name), name);
      // What is left out is named, too.
      execFileSync('mkfifo', [join(home, tree, `${tree}-pipe`)]);
      symlinkSync(`../../${tree}`, join(home, tree, `${tree}-link`));
    }
    chmodSync(home, 0o700);

    /** As a person at a terminal who may read what peerd may not; PATH is given in the environment, as a shell would find it by `*`. */
    const onTerminal = (peer: Peer, args: string, path = ''): Promise<RunResult> => {
      const words = ['-qec', `stty cols 200 rows 60; exec ${process.execPath} ${programs.peerctl} --socket ${peer.socket} ${args}`, '/dev/null'];
      return new Command('-q', words, { env: { ...bob.environment, TERM: 'xterm-256color', NO_COLOR: '', GIVEN: path }, cwd: home, executable: 'script' }).result;
    };
    const told: [what: string, text: string, index: number, isTerminal: boolean][] = [];
    for (const [index, tree] of evilNames.entries()) {
      const sent = await onTerminal(alice, 'send bob --detach "$GIVEN"', tree);
      told.push(['send', sent.stdout, index, true]);
      const transfer = (await alice.json<{ transfers: { id: string }[] }>('transfers')).transfers.at(-1);
      const id = transfer?.id ?? '';
      expect(sent.stdout).toContain('it was uploaded');
      await bob.seesTransfer((seen) => seen.id === id && seen.state === 'offered');
      for (const [peer, args] of [[alice, `show ${id}`], [bob, 'inbox'], [bob, `show ${id}`]] as const) told.push([`${peer.name} ${args}`, (await onTerminal(peer, args)).stdout, index, true]);
      await bob.run('accept', id);
      await alice.seesTransfer((seen) => seen.id === id && seen.state === 'done');
      for (const args of [['transfers'], ['show', id], ['history']]) {
        const { stdout } = await bob.run('--json', ...args);
        expect([args, stringsIn(JSON.parse(stdout)).flatMap(steering)]).toEqual([args, []]);
        told.push([`bob ${args.join(' ')}`, (await onTerminal(bob, args.join(' '))).stdout, args[0] === 'transfers' ? -1 : index, true]);
      }
      // Not there any more: what is said of a name that was only typed.
      told.push(['send, missing', (await onTerminal(alice, 'send bob "$GIVEN"', `${tree}-gone`)).stdout, index, true]);
      expect(await diffTrees(join(home, tree, tree), join(bob.inboxDirectory, tree, tree))).toBe('');
    }
    told.push(['log of alice', alice.logs.join('\n'), -1, false], ['log of bob', bob.logs.join('\n'), -1, false]);
    for (const [what, text, index, isTerminal] of told) {
      expect([what, (isTerminal ? steeringOnTerminal : steering)(text)]).toEqual([what, []]);
      if (index >= 0) expect([what, text.includes(`evil${index}`)]).toEqual([what, true]);
    }
  });
});
