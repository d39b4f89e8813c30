import { connectResponseSchema, disconnectResponseSchema, inboxResponseSchema, sendMessageResponseSchema, transferActionResponseSchema, trustResponseSchema, type ChatMessageView } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { Refusal, TestDaemon } from '../support/daemon.ts';
import { bob, contact, firstId, offer, secondId, transfer } from '../support/fixtures.ts';
import { documents, peerctl } from '../support/peerctl.ts';

const received = (id = firstId) => transfer({ id, direction: 'receive', state: 'accepted' });

describe('connect and disconnect', () => {
  test('what a person typed reaches the daemon as it is', async () => {
    await using daemon = await TestDaemon.start();
    const name = 'bob/../ü?#~k3f9 %2f';
    daemon.on(`POST /v1/peers/${name}/connect`, connectResponseSchema, { peer: bob, state: 'linked', address: '127.0.0.1:40000', warnings: ['another peer is called bob'] });
    const { code, stdout, stderr } = await peerctl(['connect', name], { socket: daemon.socket });
    expect(code).toBe(0);
    expect(stdout).toBe('linked with bob (bbbbbbbb) at 127.0.0.1:40000\n');
    expect(stderr).toBe('warning: another peer is called bob\n');
  });

  test('already so: no error', async () => {
    await using daemon = await TestDaemon.start();
    daemon
      .on('POST /v1/peers/bob/connect', connectResponseSchema, { peer: bob, state: 'already_linked', address: '[::1]:1', warnings: [] })
      .on('POST /v1/peers/bob/disconnect', disconnectResponseSchema, { peer: bob, state: 'already_disconnected' });
    expect(await peerctl(['connect', 'bob'], { socket: daemon.socket })).toEqual({ code: 0, stdout: 'already linked with bob (bbbbbbbb) at [::1]:1\n', stderr: '' });
    expect(await peerctl(['disconnect', 'bob'], { socket: daemon.socket })).toEqual({ code: 0, stdout: 'there was no link to bob (bbbbbbbb)\n', stderr: '' });
    const json = await peerctl(['disconnect', 'bob', '--json'], { socket: daemon.socket });
    expect(documents(json.stdout)).toEqual([{ peer: bob, state: 'already_disconnected' }]);
  });
});

test('trust', async () => {
  await using daemon = await TestDaemon.start();
  daemon.on('POST /v1/contacts', trustResponseSchema, { contact: contact(bob), state: 'pinned', warnings: [] });
  const target = `${bob.id}@192.0.2.7:12001`;
  const { code, stdout } = await peerctl(['trust', target], { socket: daemon.socket });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^bob is now a contact\nid {2}bbbb-bbbb-/);
  expect(daemon.asked[0]?.body).toEqual({ peer: target });
});

describe('accept', () => {
  test('one, into a directory that is made absolute', async () => {
    await using daemon = await TestDaemon.start();
    daemon.on('POST /v1/inbox/01k/accept', transferActionResponseSchema, { transfer: received(), state: 'accepted' });
    const { code, stdout } = await peerctl(['accept', '01k', '--to', 'sub/..'], { socket: daemon.socket, cwd: daemon.directory });
    expect(code).toBe(0);
    expect(stdout).toBe(`accepted ${firstId} from bob: 2 entries, 3.8 MiB\n`);
    expect(daemon.asked[0]?.body).toEqual({ to: daemon.directory });
  });

  test('--all: one that fails does not keep the others', async () => {
    await using daemon = await TestDaemon.start();
    daemon
      .on('GET /v1/inbox', inboxResponseSchema, { offers: [offer(), offer({ id: secondId })], introductions: [] })
      .refuse(`POST /v1/inbox/${firstId}/accept`, new Refusal('no_space', 'not enough space', 'Make room.'))
      .on(`POST /v1/inbox/${secondId}/accept`, transferActionResponseSchema, { transfer: received(secondId), state: 'accepted' });
    const json = await peerctl(['accept', '--all', '--json'], { socket: daemon.socket });
    expect(json.code).toBe(7);
    expect(documents(json.stdout)).toEqual([{ results: [{ transfer: received(secondId), state: 'accepted' }], errors: [{ id: firstId, code: 'no_space', message: 'not enough space', hint: 'Make room.' }] }]);
    expect(documents(json.stderr)).toEqual([{ error: { code: 'no_space', message: 'not enough space', hint: 'Make room.' } }]);
    const text = await peerctl(['accept', '--all'], { socket: daemon.socket });
    expect(text).toEqual({ code: 7, stdout: `accepted ${secondId} from bob: 2 entries, 3.8 MiB\n`, stderr: `error: ${firstId}: not enough space\nhint: Make room.\n` });
  });

  test('--all with an empty inbox', async () => {
    await using daemon = await TestDaemon.start();
    daemon.on('GET /v1/inbox', inboxResponseSchema, { offers: [], introductions: [] });
    expect(await peerctl(['accept', '--all'], { socket: daemon.socket })).toEqual({ code: 0, stdout: 'nothing waits for a decision\n', stderr: '' });
    const json = await peerctl(['accept', '--all', '--json'], { socket: daemon.socket });
    expect(documents(json.stdout)).toEqual([{ results: [], errors: [] }]);
  });
});

test('reject with a reason', async () => {
  await using daemon = await TestDaemon.start();
  daemon.on('POST /v1/inbox/01k/reject', transferActionResponseSchema, { transfer: received(), state: 'rejected' });
  const { code, stdout } = await peerctl(['reject', '01k', '--reason', 'too big'], { socket: daemon.socket });
  expect(code).toBe(0);
  expect(stdout).toBe(`rejected ${firstId} from bob\n`);
  expect(daemon.asked[0]?.body).toEqual({ reason: 'too big' });
});

test('cancel, twice', async () => {
  await using daemon = await TestDaemon.start();
  let cancelled = false;
  daemon.on('POST /v1/transfers/01k/cancel', transferActionResponseSchema, () => {
    const state = cancelled ? 'already_cancelled' : 'cancelled';
    cancelled = true;
    return { transfer: transfer({ state: 'cancelled' }), state };
  });
  expect((await peerctl(['cancel', '01k'], { socket: daemon.socket })).stdout).toBe(`cancelled ${firstId} to bob\n`);
  expect(await peerctl(['cancel', '01k'], { socket: daemon.socket })).toMatchObject({ code: 0, stdout: `was already cancelled: ${firstId} to bob\n` });
});

test('pause and resume say who holds it', async () => {
  await using daemon = await TestDaemon.start();
  daemon
    .on('POST /v1/transfers/01k/pause', transferActionResponseSchema, { transfer: transfer({ state: 'paused', pausedBy: ['sender'] }), state: 'paused' })
    .on('POST /v1/transfers/01k/resume', transferActionResponseSchema, { transfer: transfer({ state: 'paused', pausedBy: ['receiver'] }), state: 'already_resumed' });
  expect(await peerctl(['pause', '01k'], { socket: daemon.socket })).toEqual({ code: 0, stdout: `paused ${firstId} to bob (paused here)\n`, stderr: '' });
  expect(await peerctl(['resume', '01k'], { socket: daemon.socket })).toEqual({ code: 0, stdout: `was not paused here: ${firstId} to bob (paused by bob)\n`, stderr: '' });
  const json = await peerctl(['pause', '01k', '--json'], { socket: daemon.socket });
  expect(documents(json.stdout)).toEqual([{ transfer: transfer({ state: 'paused', pausedBy: ['sender'] }), state: 'paused' }]);
});

describe('chat PEER TEXT', () => {
  const message = (state: 'delivered' | 'queued'): ChatMessageView => ({ id: 'm1', peer: bob, direction: 'sent', text: 'hi', sentAt: 0, state, stranger: false });

  test.each([
    ['delivered', 'delivered to bob\n'],
    ['queued', 'queued: bob gets it as soon as it can be reached\n'],
  ] as const)('%s', async (state, shown) => {
    await using daemon = await TestDaemon.start();
    daemon.on('POST /v1/messages', sendMessageResponseSchema, { message: message(state), state, warnings: [] });
    expect(await peerctl(['chat', 'bob', 'lunch', 'at  noon?', '--', '-1'], { socket: daemon.socket })).toEqual({ code: 0, stdout: shown, stderr: '' });
    expect(daemon.asked[0]?.body).toEqual({ peer: 'bob', text: 'lunch at  noon? -1' });
    const json = await peerctl(['chat', 'bob', 'x', '--json'], { socket: daemon.socket });
    expect(documents(json.stdout)).toEqual([{ message: message(state), state, warnings: [] }]);
  });
});
