import { peersResponseSchema, transfersResponseSchema, type PeersResponse, type TransfersResponse } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { TestDaemon } from '../support/daemon.ts';
import { bob, carol, chunks, firstId, peer, secondId, transfer } from '../support/fixtures.ts';
import { documents, start } from '../support/peerctl.ts';

test('peers --watch --json: one document per change, none without; 130 at the end', async () => {
  await using daemon = await TestDaemon.start();
  let now: PeersResponse = { peers: [peer(bob)] };
  daemon.on('GET /v1/peers', peersResponseSchema, () => now);
  const running = start(['peers', '--watch', '--json'], { socket: daemon.socket });
  await running.shows(/bob/);
  daemon.publish({ kind: 'peers' });
  await daemon.received('GET /v1/peers', 2);
  now = { peers: [peer(bob, { state: 'linked' })] };
  daemon.publish({ kind: 'link', peer: bob, state: 'linked' });
  await running.shows(/linked/);
  now = { peers: [peer(bob, { state: 'linked' }), peer(carol)] };
  await daemon.stop();
  await daemon.listen();
  await running.shows(/carol/);
  running.child.kill('SIGINT');
  const { code, stdout } = await running.finished;
  expect(code).toBe(130);
  expect(documents(stdout)).toEqual([{ peers: [peer(bob)] }, { peers: [peer(bob, { state: 'linked' })] }, now]);
});

test('peers --watch as text, where stdout is no terminal', async () => {
  await using daemon = await TestDaemon.start();
  let now: PeersResponse = { peers: [peer(bob)] };
  daemon.on('GET /v1/peers', peersResponseSchema, () => now);
  const running = start(['peers', '--watch'], { socket: daemon.socket });
  await running.shows(/bob/);
  now = { peers: [peer(carol)] };
  daemon.publish({ kind: 'peers' });
  await running.shows(/carol/);
  await daemon.stop();
  await running.shows(/warning: peerd is away/);
  running.child.kill('SIGINT');
  const { stdout } = await running.finished;
  expect(stdout.match(/^NAME/gm)).toHaveLength(2);
  expect(stdout).not.toContain('\u001b');
});

test('transfers --watch --json follows states and progress', async () => {
  await using daemon = await TestDaemon.start();
  let now: TransfersResponse = { transfers: [transfer()] };
  daemon.on('GET /v1/transfers', transfersResponseSchema, () => now);
  const running = start(['transfers', '--watch', '--json'], { socket: daemon.socket });
  await running.shows(/queued/);
  daemon.publish({ kind: 'transfer', transfer: transfer({ state: 'transferring' }) });
  daemon.publish({ kind: 'progress', id: firstId, bytesDone: 1_000, bytes: 4_000_000, chunks });
  daemon.publish({ kind: 'progress', id: secondId, bytesDone: 1_000, bytes: 4_000_000, chunks });
  now = { transfers: [transfer({ id: secondId }), transfer({ state: 'transferring', bytesDone: 1_000 })] };
  daemon.publish({ kind: 'transfer', transfer: transfer({ id: secondId }) });
  await running.shows(new RegExp(secondId));
  running.child.kill('SIGINT');
  const { stdout } = await running.finished;
  expect(documents(stdout)).toEqual([{ transfers: [transfer()] }, { transfers: [transfer({ state: 'transferring' })] }, { transfers: [transfer({ state: 'transferring', bytesDone: 1_000 })] }, now]);
});
