import { stripVTControlCharacters } from 'node:util';
import { peersResponseSchema, type PeersResponse, sendResponseSchema, transferActionResponseSchema, whoamiResponseSchema } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { TestDaemon } from '../support/daemon.ts';
import { alice, bob, carol, chunks, firstId, peer, transfer } from '../support/fixtures.ts';
import { signalOnTerminal, startOnTerminal, type Started } from '../support/peerctl.ts';

const sending = async (): Promise<TestDaemon> => (await TestDaemon.start()).on('POST /v1/transfers', sendResponseSchema, { transfers: [transfer()], skipped: [], warnings: [] });

const moving = async (daemon: TestDaemon, running: Started): Promise<void> => {
  await running.shows(/queued until bob can be reached/);
  daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'transferring' }) });
  daemon.publish({ kind: 'progress', id: firstId, bytesDone: 1_000_000, bytes: 4_000_000, chunks });
  await running.shows(/25%/);
};

describe('colours', () => {
  const me = { id: alice.id, shortId: 'aaaaaaaa', name: 'alice' };

  test('on a terminal', async () => {
    await using daemon = await TestDaemon.start();
    daemon.on('GET /v1/whoami', whoamiResponseSchema, me);
    expect((await startOnTerminal(['whoami'], { socket: daemon.socket }).finished).stdout).toContain('\u001b[');
  });

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('not with %o', async (env) => {
    await using daemon = await TestDaemon.start();
    daemon.on('GET /v1/whoami', whoamiResponseSchema, me);
    expect((await startOnTerminal(['whoami'], { socket: daemon.socket, env }).finished).stdout).not.toContain('\u001b[');
  });
});

describe('send', () => {
  test('a bar with rate and time to go, then the result', async () => {
    await using daemon = await sending();
    const running = startOnTerminal(['send', 'bob', '.'], { socket: daemon.socket, columns: 100 });
    await moving(daemon, running);
    daemon.publish({ kind: 'progress', id: firstId, bytesDone: 2_000_000, bytes: 4_000_000, chunks });
    await running.shows(/50% .*1\.9 MiB of 3\.8 MiB +[\d.]+ [KMG]iB\/s +ETA /);
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'done', bytesDone: 4_000_000 }), savedAs: ['/d/photos'] });
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(/bob: done, 2 entries, 3\.8 MiB in .*, saved as \/d\/photos/);
    // The cursor is hidden while it draws, and comes back.
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'));
  });

  test('a daemon that is away is shown, and waited for', async () => {
    await using daemon = await sending();
    const running = startOnTerminal(['send', 'bob', '.'], { socket: daemon.socket });
    await running.shows(/queued until bob/);
    await daemon.stop();
    await running.shows(/peerd is away; waiting until it is back/);
    running.type('\u0003');
    await running.shows(/cancel the transfer/);
    running.type('c\r');
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(stdout).toContain('not cancelled: no peerd answers');
  });

  test('Ctrl-C asks; c cancels: exit 6', async () => {
    await using daemon = await sending();
    daemon.on(`POST /v1/transfers/${firstId}/cancel`, transferActionResponseSchema, () => {
      const cancelled = transfer({ state: 'cancelled', error: { code: 'cancelled', message: 'cancelled by the sender' } });
      daemon.publish({ kind: 'transfer', transfer: cancelled });
      return { transfer: cancelled, state: 'cancelled' };
    });
    const running = startOnTerminal(['send', 'bob', '.'], { socket: daemon.socket });
    await moving(daemon, running);
    running.type('\u0003');
    await running.shows(/cancel the transfer \(c\), detach/);
    running.type('c\r');
    const { code, stdout } = await running.finished;
    expect(code).toBe(6);
    expect(stdout).toContain('the transfer to bob was cancelled by the sender');
  });

  test('Enter goes on watching; d detaches: exit 130', async () => {
    await using daemon = await sending();
    const running = startOnTerminal(['send', 'bob', '.'], { socket: daemon.socket });
    await moving(daemon, running);
    running.type('\u0003');
    await running.shows(/cancel the transfer/);
    running.type('\r');
    daemon.publish({ kind: 'progress', id: firstId, bytesDone: 3_000_000, bytes: 4_000_000, chunks });
    await running.shows(/75%/);
    running.type('\u0003');
    await running.shows(/cancel the transfer[\s\S]*75%[\s\S]*cancel the transfer/);
    running.type('d\r');
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(stdout).toContain(`detached: transfer ${firstId} goes on`);
  });

  test('what ends while the question stands is said below it', async () => {
    await using daemon = await sending();
    const running = startOnTerminal(['send', 'bob', '.'], { socket: daemon.socket });
    await moving(daemon, running);
    running.type('\u0003');
    await running.shows(/keep watching \(Enter\)\? /);
    daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'done', bytesDone: 4_000_000 }), savedAs: ['/d/photos'] });
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    const below = stripVTControlCharacters(stdout.slice(stdout.indexOf('(Enter)? ')));
    expect(below.split(/\r*\n/).map((line) => line.trim()).slice(0, 2)).toEqual(['(Enter)?', expect.stringMatching(/^✓ bob: done, /)]);
  });

  test('a second Ctrl-C detaches', async () => {
    await using daemon = await sending();
    const running = startOnTerminal(['send', 'bob', '.'], { socket: daemon.socket });
    await moving(daemon, running);
    running.type('\u0003');
    await running.shows(/cancel the transfer/);
    running.type('\u0003');
    expect((await running.finished).code).toBe(130);
    expect(daemon.asked.map(({ path }) => path)).not.toContain(`/v1/transfers/${firstId}/cancel`);
  });

  test('so does a second SIGINT from elsewhere', async () => {
    await using daemon = await sending();
    const running = startOnTerminal(['send', 'bob', '.'], { socket: daemon.socket });
    await moving(daemon, running);
    signalOnTerminal(running, 'SIGINT');
    await running.shows(/cancel the transfer/);
    signalOnTerminal(running, 'SIGINT');
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(stdout.match(/cancel the transfer \(c\)/g)).toHaveLength(1);
    expect(stdout).toContain(`detached: transfer ${firstId} goes on`);
  });
});

test('peers --watch draws one table again and again', async () => {
  await using daemon = await TestDaemon.start();
  let now: PeersResponse = { peers: [peer(bob)] };
  daemon.on('GET /v1/peers', peersResponseSchema, () => now);
  const running = startOnTerminal(['peers', '--watch'], { socket: daemon.socket });
  await running.shows(/bob/);
  now = { peers: [peer(bob), peer(carol)] };
  daemon.publish({ kind: 'peers' });
  await running.shows(/carol/);
  running.type('\u0003');
  const { code, stdout } = await running.finished;
  expect(code).toBe(130);
  // Cursor up: the second table stands where the first one stood.
  expect(stdout.slice(0, stdout.indexOf('carol'))).toContain('\u001b[1A');
});
