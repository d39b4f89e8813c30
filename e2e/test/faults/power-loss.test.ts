import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { orderProblems, spoolProblems } from '../../faults/power-loss/order.ts';
import { readStrace } from '../../faults/power-loss/strace-log.ts';
import { tracedSend } from '../../faults/power-loss/traced-send.ts';
import { lacks } from '../../faults/system.ts';
import { canChangeUser, ofAnotherUser } from '../../harness/another-user.ts';
import { Command, programs } from '../../harness/process.ts';
import { World } from '../../harness/world.ts';

const unavailable = await lacks('strace');
if (unavailable !== undefined) console.warn(`skipped: power loss: ${unavailable}`);

/** A reception in which everything is in order, as strace writes it. */
const receiverLines = [
  '10 1.000 openat(AT_FDCWD</>, "/in/.peerd-x/tree", O_RDONLY) = 20</in/.peerd-x/tree>',
  '10 1.001 openat(AT_FDCWD</>, "/in", O_RDONLY) = 21</in>',
  '11 1.100 pwrite64(22</in/.peerd-x/tree/a>, "...", 3, 0) = 3',
  '11 1.200 fdatasync(22</in/.peerd-x/tree/a> <unfinished ...>',
  '12 1.250 pwrite64(23</state/transfers/in/p/t/journal>, "...", 32, 0) = 32',
  '11 1.300 <... fdatasync resumed>) = 0',
  '12 1.350 fdatasync(23</state/transfers/in/p/t/journal>) = 0',
  '13 1.400 pwrite64(24</state/peerd.db-wal>, "...", 24, 0) = 24',
  '13 1.410 fsync(24</state/peerd.db-wal>) = 0',
  '11 1.500 link("/proc/self/fd/20/a", "/proc/self/fd/21/a") = 0',
  '11 1.600 fsync(21</in>) = 0',
  '11 1.700 pwrite64(25</state/receipts.log>, "...", 100, 17) = 100',
  '11 1.800 fdatasync(25</state/receipts.log>) = 0',
  '13 2.500 pwrite64(24</state/peerd.db-wal>, "...", 24, 24) = 24',
  '13 2.510 fsync(24</state/peerd.db-wal>) = 0',
];
const senderLines = ['20 2.000 pwrite64(25</mine/receipts.log>, "...", 100, 17) = 100', '20 2.100 fdatasync(25</mine/receipts.log>) = 0'];

const problemsOf = (receiver: readonly string[], sender: readonly string[] = senderLines, toldAt = 2.2): string[] =>
  orderProblems({ receiver: readStrace(receiver.join('\n')), sender: readStrace(sender.join('\n')), destination: '/in', receiverState: '/state', senderState: '/mine', names: ['a'], toldAt });

const without = (lines: readonly string[], part: string): string[] => lines.filter((line) => !line.includes(part));

describe('the order of system calls', () => {
  test('descriptors, strings and calls in two parts have whole paths and times', () => {
    const calls = readStrace(receiverLines.join('\n'));
    expect(calls.find(({ name }) => name === 'link')?.paths).toEqual(['/in/.peerd-x/tree/a', '/in/a']);
    expect(calls.filter(({ name }) => name === 'fdatasync')[0]).toMatchObject({ begin: 1.2, end: 1.3, ok: true, paths: ['/in/.peerd-x/tree/a'] });
    expect(readStrace('7 1.0 fsync(3</x>) = -1 EIO (Input/output error)')).toMatchObject([{ ok: false, paths: ['/x'] }]);
  });

  test('in order, nothing is wrong', () => expect(problemsOf(receiverLines)).toEqual([]));

  test.each([
    ['content', 'fdatasync resumed', 'was moved before its content was flushed'],
    ['the journal', 'fdatasync(23', 'before the journal was flushed'],
    ['the database', 'fsync(24', 'before the database knew where to'],
    ['the directory', 'fsync(21', 'before the directory with a was flushed'],
    ['the log of receipts', 'fdatasync(25', 'before the log of the receiver was flushed'],
    ['the move', 'link(', 'a was not moved to its final name'],
  ])('without %s it is named', (_what, part, problem) => expect(problemsOf(without(receiverLines, part)).join('\n')).toContain(problem));

  test('a flush that failed, or that began before the last write, counts for nothing', () => {
    expect(problemsOf(receiverLines.map((line) => line.replace('fsync(21</in>) = 0', 'fsync(21</in>) = -1 EIO (Input/output error)'))).join()).toContain('before the directory');
    expect(problemsOf([...receiverLines, '11 1.450 pwrite64(22</in/.peerd-x/tree/a>, "...", 3, 3) = 3']).join()).toContain('before its content was flushed');
  });

  test('the sender flushes before anybody hears of it', () => {
    expect(problemsOf(receiverLines, senderLines, 2.05).join()).toContain('a person heard of the end before');
    expect(problemsOf(receiverLines, without(senderLines, 'fdatasync')).join('\n')).toContain('the receiver knew that its receipt was kept before');
    expect(problemsOf(receiverLines, []).join()).toContain('the sender has kept no receipt');
  });
});

describe.skipIf(unavailable !== undefined)('a power failure at any moment of a real reception', () => {
  test('loses nothing that was promised: a file, a tree and standard input', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    writeFileSync(join(alice.directory, 'file'), randomBytes(2_500_000));
    mkdirSync(join(alice.directory, 'tree/below'), { recursive: true });
    for (const name of ['tree/a', 'tree/below/b']) writeFileSync(join(alice.directory, name), randomBytes(5_000));
    const several = await tracedSend(alice, bob, ['file', 'tree'], () => alice.command(['--json', 'send', bob.id, 'file', 'tree']));
    expect(orderProblems(several)).toEqual([]);
    const input = await tracedSend(alice, bob, ['input'], () => {
      const command = alice.command(['--json', 'send', bob.id, '-', '--name', 'input'], { stdin: 'pipe' });
      command.child.stdin?.end(randomBytes(100_000));
      return command;
    });
    expect([...spoolProblems(input), ...orderProblems(input)]).toEqual([]);
  });

  test.runIf(canChangeUser)('a tree that the daemon may not read, and that is uploaded (needs root: peerd runs as another user)', async () => {
    await using world = await World.create();
    chmodSync(world.directory, 0o711);
    await world.rendezvous();
    const bob = await world.peer('bob', { args: ['--accept', 'auto'] }).start();
    const alice = await ofAnotherUser(world, 'alice').start();
    await alice.seesPeers((peers) => peers.some(({ id }) => id === bob.id));
    mkdirSync(join(bob.directory, 'tree/below'), { recursive: true });
    for (const name of ['tree/a', 'tree/below/b']) writeFileSync(join(bob.directory, name), randomBytes(5_000));
    chmodSync(bob.directory, 0o700);
    // peerctl as the user that runs this test.
    const uploaded = await tracedSend(alice, bob, ['tree'], () => new Command(programs.peerctl, ['--socket', alice.socket, '--json', 'send', bob.id, 'tree'], { env: bob.environment, cwd: bob.directory }));
    expect([...spoolProblems(uploaded), ...orderProblems(uploaded)]).toEqual([]);
  });
});
