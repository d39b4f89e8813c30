import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sendRequestSchema, sendResponseSchema, spoolResponseSchema, transferActionResponseSchema, transferDetailSchema, type TransferSummary } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { Refusal, TestDaemon } from '../support/daemon.ts';
import { bob, carol, chunks, detail, firstId, secondId, transfer } from '../support/fixtures.ts';
import { documents, peerctl, start, startOnTerminal } from '../support/peerctl.ts';

const answering = async (...transfers: TransferSummary[]): Promise<TestDaemon> =>
  (await TestDaemon.start()).on('POST /v1/transfers', sendResponseSchema, { transfers: transfers.length === 0 ? [transfer()] : transfers, skipped: [], warnings: [] });

const kinds = (stdout: string): unknown[] => documents(stdout).map(({ event }) => event);

describe('the request', () => {
  test('has absolute paths, the peers and the options', async () => {
    await using daemon = await answering();
    await mkdir(join(daemon.directory, 'photos'));
    await symlink('nowhere', join(daemon.directory, 'link'));
    const args = ['send', 'bob, carol,bob', 'photos/', './link', '/', '--detach', '--conflict', 'fail', '--note', 'for you'];
    const { code, stderr } = await peerctl(args, { socket: daemon.socket, cwd: daemon.directory });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(sendRequestSchema.parse(daemon.asked[0]?.body)).toEqual({
      peers: ['bob', 'carol'],
      paths: [join(daemon.directory, 'photos'), join(daemon.directory, 'link'), '/'],
      conflict: 'fail',
      note: 'for you',
      unreadable: 'refuse',
    });
  });

  test('has the key, the name and the patterns', async () => {
    await using daemon = await answering();
    const args = ['send', 'bob', 'x', '--detach', '--id', 'nightly ✓', '--name', 'y', '--exclude', '*.o', '--exclude', '.git/', '--include', 'src/**', '--priority', 'low'];
    await writeFile(join(daemon.directory, 'x'), '');
    expect(await peerctl(args, { socket: daemon.socket, cwd: daemon.directory })).toMatchObject({ code: 0, stderr: '' });
    expect(sendRequestSchema.parse(daemon.asked[0]?.body)).toMatchObject({ key: 'nightly ✓', name: 'y', exclude: ['*.o', '.git/'], include: ['src/**'], priority: 'low' });
  });

  test('what patterns left out, and what was sent before, is said; with --json in `queued`', async () => {
    await using daemon = await TestDaemon.start();
    daemon.on('POST /v1/transfers', sendResponseSchema, { transfers: [transfer()], skipped: [], warnings: [], leftOut: 3, repeated: [firstId] });
    expect((await peerctl(['send', 'bob', '/', '--detach'], { socket: daemon.socket })).stderr).toBe(`3 entries left out by --exclude and --include\nsent before under this key: transfer ${firstId}\n`);
    const json = await peerctl(['send', 'bob', '/', '--detach', '--json'], { socket: daemon.socket });
    expect([json.stderr, documents(json.stdout)]).toEqual(['', [expect.objectContaining({ event: 'queued', leftOut: 3, repeated: true })]]);
  });

  test('standard input is uploaded with name and mode, then sent', async () => {
    await using daemon = await answering();
    daemon.on('POST /v1/spool', spoolResponseSchema, { id: secondId, entries: 1, bytes: 5 });
    const running = start(['send', 'bob', '-', '--name', 'a b', '--detach'], { socket: daemon.socket, stdin: 'open' });
    running.type('hello');
    running.child.stdin?.end();
    expect((await running.finished).code).toBe(0);
    const [uploaded, sent] = daemon.asked;
    expect([uploaded?.body, uploaded?.query.get('name'), Number(uploaded?.query.get('mode')) & 0o600, uploaded?.headers['content-type']]).toEqual(['hello', 'a b', 0o600, 'application/octet-stream']);
    expect(sendRequestSchema.parse(sent?.body)).toMatchObject({ paths: [], spools: [{ id: secondId }], name: 'a b' });
  });

  test('a terminal is told how its input ends', async () => {
    await using daemon = await answering();
    daemon.on('POST /v1/spool', spoolResponseSchema, { id: secondId, entries: 1, bytes: 5 });
    const running = startOnTerminal(['send', 'bob', '-', '--detach'], { socket: daemon.socket });
    await running.shows(/end with Ctrl-D/);
    running.type('hello\n\u0004');
    expect((await running.finished).code).toBe(0);
    expect(daemon.asked[0]?.body).toBe('hello\n');
  });

  test('what the daemon refuses is uploaded and sent from there; an upload for nothing is taken back', async () => {
    await using daemon = await TestDaemon.start();
    const path = join(daemon.directory, 'file');
    await writeFile(path, 'secret');
    let fails = false;
    daemon
      .on('POST /v1/spool', spoolResponseSchema, { id: secondId, entries: 1, bytes: 6 })
      .on('POST /v1/transfers', sendResponseSchema, ({ body }) => {
        const { paths } = body as { paths: string[] };
        if (paths.includes(path)) throw new Refusal('source_unreadable', 'no', 'Give it.', 409, { paths: [path] });
        if (fails) throw new Refusal('no_such_peer', 'nobody', 'Look.');
        return { transfers: [transfer()], skipped: [], warnings: ['careful'] };
      });
    const { code, stderr } = await peerctl(['send', 'bob', path, '/', '--detach'], { socket: daemon.socket });
    expect([code, stderr]).toEqual([0, `warning: peerd may not read ${path}: it was uploaded to its spool, and is sent from there\nwarning: careful\n`]);
    expect(daemon.asked.at(-1)?.body).toMatchObject({ paths: ['/'], spools: [{ id: secondId, path }] });
    const archived = daemon.asked.find((asked) => asked.path === '/v1/spool');
    expect([archived?.headers['content-type'], archived?.body]).toEqual(['application/x-tar', expect.stringContaining('secret')]);
    fails = true;
    expect((await peerctl(['send', 'bob', path, '--detach'], { socket: daemon.socket })).code).toBe(4);
    expect(daemon.asked.at(-1)).toMatchObject({ method: 'DELETE', path: `/v1/spool/${secondId}` });
  });

  test('a path that does not exist: exit 1, and nothing is asked of the daemon', async () => {
    await using daemon = await answering();
    const { code, stderr } = await peerctl(['send', 'bob', 'no\u001bsuch', '--json'], { socket: daemon.socket, cwd: daemon.directory });
    expect(code).toBe(1);
    expect(documents(stderr)).toMatchObject([{ error: { code: 'source_missing', message: 'there is no no\\x1bsuch' } }]);
    expect(daemon.asked).toEqual([]);
  });

  test('a name that is not UTF-8 is refused, with a hint to send its directory', async () => {
    await using daemon = await answering();
    await writeFile(Buffer.concat([Buffer.from(join(daemon.directory, 'caf')), Buffer.from([0xe9])]), '');
    const script = `exec "$@" "$(printf 'caf\\351')"`;
    const { spawnSync } = await import('node:child_process');
    const { command } = await import('../support/peerctl.ts');
    const result = spawnSync('sh', ['-c', script, 'sh', ...command, 'send', 'bob'], { cwd: daemon.directory, env: { PATH: process.env['PATH'], PEERCTL_SOCKET: daemon.socket }, encoding: 'utf8' });
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('is not valid UTF-8');
    expect(result.stderr).toContain('hint: Send the directory that holds it');
  });

  test('what the daemon refuses: its error and exit code', async () => {
    await using daemon = await TestDaemon.start();
    daemon.refuse('POST /v1/transfers', new Refusal('trust_changed', 'the key of bob has changed', 'Ask bob.'));
    const { code, stdout, stderr } = await peerctl(['send', 'bob', '.', '--json'], { socket: daemon.socket });
    expect(code).toBe(8);
    expect(stdout).toBe('');
    expect(documents(stderr)).toMatchObject([{ error: { code: 'trust_changed' } }]);
  });
});

describe('events', () => {
  test('NDJSON until the final event; done has savedAs', async () => {
    await using daemon = await answering();
    const running = start(['send', 'bob', '.', '--json'], { socket: daemon.socket });
    await running.shows(/"queued"/);
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'offered' }) });
    daemon.publish({ kind: 'transfer', transfer: transfer({ id: secondId, state: 'failed', error: { code: 'io_error', message: 'not ours' } }) });
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'accepted' }) });
    daemon.publish({ kind: 'progress', id: firstId, bytesDone: 2_000_000, bytes: 4_000_000, chunks });
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'done', bytesDone: 4_000_000 }), savedAs: ['/home/bob/Downloads/photos (1)'] });
    const { code, stdout, stderr } = await running.finished;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(kinds(stdout)).toEqual(['queued', 'offered', 'accepted', 'progress', 'done']);
    expect(documents(stdout)[0]).toEqual({ event: 'queued', id: firstId, peer: bob, state: 'queued', entries: 2, bytes: 4_000_000, bytesDone: 0, skipped: [], warnings: [] });
    expect(documents(stdout)[3]).toMatchObject({ id: firstId, bytesDone: 2_000_000, bytes: 4_000_000, chunks });
    expect(documents(stdout)[4]).toMatchObject({ id: firstId, peer: bob, savedAs: ['/home/bob/Downloads/photos (1)'] });
  });

  test('the events are subscribed to before the request', async () => {
    await using daemon = await TestDaemon.start();
    daemon.on('POST /v1/transfers', sendResponseSchema, () => {
      // As fast as a daemon can be: it is over before the answer is there.
      daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'done' }), savedAs: ['/a'] });
      return { transfers: [transfer()], skipped: [], warnings: [] };
    });
    const { code, stdout } = await peerctl(['send', 'bob', '.', '--json'], { socket: daemon.socket });
    expect(code).toBe(0);
    expect(kinds(stdout)).toEqual(['queued', 'done']);
  });

  test('several peers: one final event each, the exit code is the first that is not 0', async () => {
    await using daemon = await answering(transfer({ group: 'g1' }), transfer({ id: secondId, group: 'g1', peer: carol }));
    const running = start(['send', 'bob,carol', '.', '--json'], { socket: daemon.socket });
    await running.shows(/"queued".*\n.*"queued"/);
    daemon.publish({ kind: 'transfer', transfer: transfer({ id: secondId, peer: carol, state: 'rejected', error: { code: 'rejected', message: 'no thanks' } }) });
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'done' }), savedAs: [] });
    const { code, stdout, stderr } = await running.finished;
    expect(code).toBe(5);
    expect(kinds(stdout)).toEqual(['queued', 'queued', 'rejected', 'done']);
    expect(documents(stdout)[0]).toMatchObject({ group: 'g1' });
    expect(documents(stderr)).toMatchObject([{ error: { code: 'rejected', message: 'carol rejected the offer: no thanks', details: { id: secondId } } }]);
  });

  test.each([
    ['rejected', 'rejected', 5], ['cancelled', 'cancelled', 6], ['failed', 'no_space', 7], ['failed', 'partial', 1],
  ] as const)('%s with %s: exit %i', async (state, error, exit) => {
    await using daemon = await answering();
    const running = start(['send', 'bob', '.'], { socket: daemon.socket });
    await running.shows(/queued/);
    daemon.publish({ kind: 'transfer', transfer: transfer({ state, error: { code: error, message: 'because' } }) });
    const { code, stderr } = await running.finished;
    expect(code).toBe(exit);
    expect(stderr).toMatch(/^error: .*\nhint: .*\n$/);
  });

  test('--detach ends with queued, and says what is left out', async () => {
    await using daemon = await TestDaemon.start();
    const skipped = [{ path: 'photos/pipe', code: 'special_file', message: 'a FIFO is not sent' }];
    daemon.on('POST /v1/transfers', sendResponseSchema, { transfers: [transfer()], skipped, warnings: ['another peer is called bob'] });
    const json = await peerctl(['send', 'bob', '.', '--json', '--detach'], { socket: daemon.socket });
    expect(documents(json.stdout)).toMatchObject([{ event: 'queued', id: firstId, skipped, warnings: ['another peer is called bob'] }]);
    expect(json.stderr).toBe('');
    const text = await peerctl(['send', 'bob', '.', '--detach'], { socket: daemon.socket });
    expect(text.stdout).toBe(`${firstId} to bob: queued, 2 entries, 3.8 MiB\n`);
    expect(text.stderr).toBe('warning: another peer is called bob\nwarning: skipped photos/pipe: a FIFO is not sent (special_file)\n');
    expect([json.code, text.code]).toEqual([0, 0]);
  });

  test('plain lines where stdout is no terminal', async () => {
    await using daemon = await answering();
    const running = start(['send', 'bob', '.'], { socket: daemon.socket });
    await running.shows(/queued/);
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'connecting' }) });
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'offered' }) });
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'accepted' }) });
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'transferring' }) });
    for (const bytesDone of [1, 1_000_000, 1_000_001, 4_000_000]) daemon.publish({ kind: 'progress', id: firstId, bytesDone, bytes: 4_000_000, chunks });
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'verifying' }) });
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'done' }), savedAs: ['/d/photos'] });
    const { stdout } = await running.finished;
    const lines = stdout.trimEnd().split('\n').map((line) => line.replace(`${firstId} to bob: `, ''));
    expect(lines).toEqual([
      'queued, 2 entries, 3.8 MiB',
      'connecting to bob',
      'offered, bob has to accept',
      'bob accepted',
      expect.stringMatching(/^25% of 3\.8 MiB/),
      expect.stringMatching(/^100% of 3\.8 MiB/),
      'bob verifies and saves it',
      expect.stringMatching(/^done, 2 entries, 3\.8 MiB in .*, saved as \/d\/photos$/),
    ]);
  });
});

describe('the daemon restarts', () => {
  test('peerctl connects again, behind the last event, and asks for what it may have missed', async () => {
    await using daemon = await answering();
    const running = start(['send', 'bob', '.', '--json'], { socket: daemon.socket });
    await running.shows(/"queued"/);
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'offered' }) });
    await running.shows(/"offered"/);
    await daemon.stop();
    daemon.on(`GET /v1/transfers/${firstId}`, transferDetailSchema, detail({ state: 'transferring' }));
    await daemon.listen();
    await running.shows(/"accepted"/);
    const [, again] = daemon.asked.filter(({ path }) => path === '/v1/events');
    expect(again?.headers['last-event-id']).toBe('1');
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'done' }), savedAs: ['/a'] });
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    expect(kinds(stdout)).toEqual(['queued', 'offered', 'accepted', 'done']);
  });

  test('a transfer that ended meanwhile is told with its names', async () => {
    await using daemon = await answering();
    const running = start(['send', 'bob', '.', '--json'], { socket: daemon.socket });
    await running.shows(/"queued"/);
    await daemon.stop();
    daemon.on(`GET /v1/transfers/${firstId}`, transferDetailSchema, detail({ state: 'done', savedAs: ['/d/photos'] }));
    await daemon.listen();
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    expect(documents(stdout).at(-1)).toMatchObject({ event: 'done', savedAs: ['/d/photos'] });
  });

  test('one that it does not know any more has failed', async () => {
    await using daemon = await answering();
    const running = start(['send', 'bob', '.', '--json'], { socket: daemon.socket });
    await running.shows(/"queued"/);
    await daemon.stop();
    daemon.refuse(`GET /v1/transfers/${firstId}`, new Refusal('not_found', 'no such transfer', null, 404));
    await daemon.listen();
    const { code, stdout } = await running.finished;
    expect(code).toBe(1);
    expect(documents(stdout).at(-1)).toMatchObject({ event: 'failed', error: { code: 'not_found' } });
  });

  test('events that were lost (reset) are made up for', async () => {
    await using daemon = await answering();
    const running = start(['send', 'bob', '.', '--json'], { socket: daemon.socket });
    await running.shows(/"queued"/);
    daemon.on(`GET /v1/transfers/${firstId}`, transferDetailSchema, detail({ state: 'cancelled', error: { code: 'cancelled', message: 'by bob' } }));
    daemon.publish({ kind: 'reset', lastId: 1 });
    const { code } = await running.finished;
    expect(code).toBe(6);
  });
});

describe('SIGINT where there is no terminal', () => {
  test('detaches with exit 130; nothing is cancelled', async () => {
    await using daemon = await answering();
    daemon.on(`POST /v1/transfers/${firstId}/cancel`, transferActionResponseSchema, { transfer: transfer({ state: 'cancelled' }), state: 'cancelled' });
    const running = start(['send', 'bob', '.', '--json'], { socket: daemon.socket });
    await running.shows(/"queued"/);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(documents(stderr)).toMatchObject([{ error: { code: 'interrupted', message: `detached: transfer ${firstId} goes on` } }]);
    expect(daemon.asked.map(({ path }) => path)).not.toContain(`/v1/transfers/${firstId}/cancel`);
  });

  test('before the answer: says how to find out', async () => {
    await using daemon = await TestDaemon.start();
    const never = Promise.withResolvers<never>();
    daemon.on('POST /v1/transfers', sendResponseSchema, () => never.promise);
    const running = start(['send', 'bob', '.'], { socket: daemon.socket });
    await daemon.received('POST /v1/transfers');
    running.child.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toContain('peerctl transfers');
  });
});
