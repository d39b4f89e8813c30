import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { errorDocumentSchema, whoamiResponseSchema } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/program.ts';
import { Refusal, TestDaemon } from '../support/daemon.ts';
import { alice } from '../support/fixtures.ts';
import { documents, peerctl, start } from '../support/peerctl.ts';

const me = { id: alice.id, shortId: alice.id.slice(0, 8), name: 'alice' };

describe('the daemon cannot be reached: exit 3', () => {
  test('no socket: the error says where it looked and how to start peerd', async () => {
    const { code, stdout, stderr } = await peerctl(['whoami', '--socket', '/nonexistent/peerd.sock']);
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: no peerd answers on \/nonexistent\/peerd\.sock/);
    expect(stderr).toMatch(/^hint: .*peerd --rendezvous HOST:12000.*--socket/m);
  });

  test('with --json the last line of stderr is the error document', async () => {
    const { code, stderr } = await peerctl(['--json', 'peers', '--socket', '/nonexistent/peerd.sock']);
    expect(code).toBe(3);
    const document = errorDocumentSchema.parse(documents(stderr).at(-1));
    expect(document.error.code).toBe('daemon_unreachable');
  });

  test('a socket that nobody answers any more', async () => {
    await using daemon = await TestDaemon.start();
    const path = join(daemon.directory, 'stale.sock');
    await writeFile(path, '');
    const { code, stderr } = await peerctl(['whoami'], { socket: path });
    expect(code).toBe(3);
    expect(stderr).toContain('nobody listens there');
  });

  test('what answers is something else', async () => {
    await using daemon = await TestDaemon.start();
    const path = join(daemon.directory, 'other.sock');
    const server = createServer((socket) => socket.end('220 mail.example ESMTP\r\n'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const { code, stderr } = await peerctl(['whoami'], { socket: path });
    server.close();
    expect(code).toBe(3);
    expect(stderr).toContain("is not peerd's control interface");
  });

  test('it stops in the middle of an answer', async () => {
    await using daemon = await TestDaemon.start();
    daemon.on('GET /v1/whoami', whoamiResponseSchema, async () => {
      await daemon.stop();
      return me;
    });
    const { code, stderr } = await peerctl(['whoami'], { socket: daemon.socket });
    expect(code).toBe(3);
    expect(stderr).toContain('stopped before it had answered');
  });
});

describe('errors of the daemon keep code, message and hint, and set the exit code', () => {
  test.each([
    ['no_such_peer', 4],
    ['ambiguous_peer', 4],
    ['trust_changed', 8],
    ['introduction_refused', 5],
    ['peer_unreachable', 1],
    ['no_space', 7],
    ['cancelled', 6],
    ['invalid_argument', 2],
    ['shutting_down', 3],
    ['a_code_of_the_future', 1],
  ])('%s: exit %i', async (errorCode, exit) => {
    await using daemon = await TestDaemon.start();
    daemon.refuse('POST /v1/peers/bob/connect', new Refusal(errorCode, 'this went wrong', 'do that'));
    const { code, stdout, stderr } = await peerctl(['connect', 'bob', '--json'], { socket: daemon.socket });
    expect(code).toBe(exit);
    expect(stdout).toBe('');
    expect(documents(stderr)).toEqual([{ error: { code: errorCode, message: 'this went wrong', hint: 'do that' } }]);
  });

  test('as text', async () => {
    await using daemon = await TestDaemon.start();
    daemon.refuse('POST /v1/peers/bob/connect', new Refusal('trust_changed', 'THE KEY OF bob HAS CHANGED\nNothing was sent.', 'Ask bob.'));
    const { code, stderr } = await peerctl(['connect', 'bob'], { socket: daemon.socket });
    expect(code).toBe(8);
    expect(stderr).toBe('error: THE KEY OF bob HAS CHANGED\nNothing was sent.\nhint: Ask bob.\n');
  });
});

test('a reader of the errors that has gone does not change the exit code', async () => {
  const { child, finished } = start(['whoami', '--socket', '/nonexistent/peerd.sock']);
  child.stderr?.destroy();
  expect((await finished).code).toBe(3);
});

describe('usage: exit 2', () => {
  test.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['sned', 'bob', 'x'], /hint: Did you mean send\?/],
    [['teleport', 'x'], /unknown command 'teleport'/],
    [['whoami', 'more'], /too many arguments/],
    [['connect'], /missing required argument 'PEER'\nhint: `peerctl help connect` shows/],
    [['connect', '--nope', 'bob'], /`peerctl help connect` lists the options/],
    [['--nope'], /`peerctl help COMMAND` lists the options/],
    [['connect', ''], /It is empty/],
    [['send', 'bob'], /missing required argument/],
    [['send', 'bob,', '.'], /a peer between the commas is empty/],
    [['send', 'bob', '.', '--conflict', 'replace'], /Allowed choices are rename, fail, overwrite, skip/],
    [['send', 'bob', '.', '..', '--name', 'x'], /--name is for a single path, and there are 2/],
    [['send', 'bob', '.', '--name', ''], /It is empty/],
    [['send', 'bob', '.', '--id', 'x'.repeat(129)], /1 to 128 characters/],
    [['send', 'bob', '.', '--exclude', '/'], /It is empty/],
    [['send', 'bob', '.', '-'], /standard input is sent alone/],
    [['accept'], /an ID, or --all/],
    [['accept', 'x', '--all'], /exclude each other/],
    [['show', 'x', '--limit', '0'], /whole number from 1 to 10000/],
    [['chat', 'bob', '--follow', 'hi'], /exclude each other/],
    [['chat', 'bob', ' '], /the message is empty/],
    [['policy', 'bob', 'maybe'], /Allowed choices are ask, auto, block/],
    [['policy', 'bob', 'ask', '--until', '2h'], /go with `auto` only/],
    [['policy', 'bob', 'auto', '--max-bytes', '10 apples'], /500M, 10G/],
    [['policy', 'bob', 'auto', '--until', '2001-01-01'], /over already/],
    [['whoami', '--socket', 'x'.repeat(108)], /the socket path has 108 bytes/],
  ])('peerctl %j', async (args, pattern) => {
    const { code, stdout, stderr } = await peerctl(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(pattern);
    expect(stderr).toMatch(/^hint: /m);
  });

  test('with --json as a document; what came from the arguments is escaped', async () => {
    const { code, stderr } = await peerctl(['--json', 'fro\u001b[31m\u202ebnicate']);
    expect(code).toBe(2);
    expect(documents(stderr)).toEqual([{ error: { code: 'invalid_argument', message: "unknown command 'fro\\x1b[31m\\u{202e}bnicate'", hint: '`peerctl --help` lists the commands.' } }]);
  });

  test('without a command: the help, on stderr', async () => {
    const { code, stdout, stderr } = await peerctl([]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Usage: peerctl/);
  });
});

describe('help: exit 0', () => {
  const commands = createProgram(() => async () => {}).commands.map((command) => command.name());

  test('--help names every command and no other', async () => {
    const { code, stdout } = await peerctl(['--help']);
    expect(code).toBe(0);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+)(?: [[<]| {2,})/gm)].map(([, name]) => name);
    expect(new Set(listed)).toEqual(new Set([...commands, 'help']));
    expect(listed).toHaveLength(commands.length + 1);
  });

  test.each(commands)('%s --help has examples and fits 100 columns', async (command) => {
    const { code, stdout, stderr } = await peerctl([command, '--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(`Usage: peerctl ${command}`);
    expect(stdout).toContain('\nExamples:\n  ');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('--version', async () => {
    const { code, stdout } = await peerctl(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

test('exit 130 when a query is interrupted', async () => {
  await using daemon = await TestDaemon.start();
  const stuck = Promise.withResolvers<typeof me>();
  daemon.on('POST /v1/peers/bob/connect', whoamiResponseSchema, () => stuck.promise);
  const running = start(['connect', 'bob', '--json'], { socket: daemon.socket });
  await daemon.received('POST /v1/peers/bob/connect');
  running.child.kill('SIGINT');
  const { code, stderr } = await running.finished;
  stuck.resolve(me);
  expect(code).toBe(130);
  expect(documents(stderr)).toEqual([{ error: { code: 'interrupted', message: 'interrupted', hint: null } }]);
});
