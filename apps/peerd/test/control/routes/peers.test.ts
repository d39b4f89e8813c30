import { once } from 'node:events';
import { escapeText, PeerdError } from '@peerd/protocol';
import { describe, expect, test, vi } from 'vitest';
import { send } from '../../unix-http.ts';
import { bob, carol, controlWorld, listed, self } from '../control-world.ts';

const policy = { kind: 'ask', own: false };

describe('GET /v1/peers', () => {
  test('is the union of contacts, links and roster, sorted by name', async () => {
    const world = await controlWorld();
    await world.contacts.pin({ id: 'd'.repeat(52), name: 'dave', addresses: [{ host: '2001:db8::1', port: 9 }] });
    world.links.put({ id: bob.id, name: 'bob' }, 0);
    world.roster.set(carol.id, listed(carol));
    world.roster.set(bob.id, listed(bob, 2));
    expect(await world.call('GET', '/v1/peers')).toEqual({
      status: 200,
      body: {
        peers: [
          // Dialled by the other side: its port is of no use.
          { ...bob, room: 'lobby', state: 'linked', addresses: ['127.0.0.1:2'], trust: 'new', policy },
          { ...carol, room: 'lobby', state: 'online', addresses: ['127.0.0.1:1'], trust: 'new', policy },
          { id: 'd'.repeat(52), name: 'dave', room: '', state: 'offline', addresses: ['[2001:db8::1]:9'], trust: 'pinned', policy },
        ],
      },
    });
  });

  test('escapes what peers chose, and shows who has the name of a contact with another key', async () => {
    const world = await controlWorld();
    await world.contacts.pin(bob);
    world.roster.set(carol.id, listed({ ...carol, name: 'bob' }));
    world.roster.set('e'.repeat(52), listed({ id: 'e'.repeat(52), name: '\u001b[2J\u202e' }));
    const { body } = await world.call('GET', '/v1/peers');
    expect((body['peers'] as { name: string; trust: string }[]).map(({ name, trust }) => [name, trust])).toEqual([
      [escapeText('\u001b[2J\u202e'), 'new'], ['bob', 'pinned'], ['bob', 'changed'],
    ]);
  });
});

describe('POST /v1/peers/:peer/connect', () => {
  test('pins the peer and answers when the link is up', async () => {
    const world = await controlWorld();
    world.roster.set(bob.id, listed(bob));
    const response = world.call('POST', '/v1/peers/bob/connect', { timeoutMs: 60_000 });
    await vi.waitFor(() => expect(world.links.dialling.has(bob.id)).toBe(true), { timeout: 20_000 });
    world.links.dialling.get(bob.id)?.resolve(world.links.put(bob));
    expect(await response).toEqual({ status: 200, body: { peer: bob, state: 'linked', address: '192.0.2.1:7', warnings: [] } });
    expect(world.contacts.get(bob.id)).toMatchObject({ trust: 'pinned' });
    expect((await world.call('POST', '/v1/peers/bob/connect')).body).toMatchObject({ state: 'already_linked' });
  });

  test('a name may need percent-encoding', async () => {
    const world = await controlWorld();
    const odd = { id: bob.id, name: 'b/ö b~x' };
    world.roster.set(bob.id, listed(odd));
    world.links.put(odd);
    expect((await world.call('POST', `/v1/peers/${encodeURIComponent('b/ö b~x')}/connect`)).body).toMatchObject({ peer: odd, state: 'already_linked' });
  });

  test('the deadline is an error that says what to try', async () => {
    const world = await controlWorld();
    world.roster.set(bob.id, listed(bob));
    expect(await world.call('POST', '/v1/peers/bob/connect', { timeoutMs: 1 })).toMatchObject({
      status: 409, body: { error: { code: 'peer_unreachable', hint: expect.stringContaining('peerctl peers') } },
    });
  });

  test('gives up when the client goes away', async () => {
    const world = await controlWorld();
    world.roster.set(bob.id, listed(bob));
    const sent = send(world.socket, 'POST', '/v1/peers/bob/connect');
    sent.on('error', () => {});
    await vi.waitFor(() => expect(world.links.dialling.has(bob.id)).toBe(true), { timeout: 20_000 });
    const signal = world.links.dialling.get(bob.id)?.signal;
    sent.destroy();
    if (signal && !signal.aborted) await once(signal, 'abort');
    expect(signal?.reason).toMatchObject({ code: 'cancelled' });
  });

  test('is told when the daemon stops', async () => {
    const world = await controlWorld();
    world.roster.set(bob.id, listed(bob));
    const response = world.call('POST', '/v1/peers/bob/connect');
    await vi.waitFor(() => expect(world.links.dialling.has(bob.id)).toBe(true), { timeout: 20_000 });
    world.stopping.abort(new PeerdError('shutting_down', 'the daemon is stopping'));
    expect(await response).toMatchObject({ status: 503, body: { error: { code: 'shutting_down' } } });
    await world.close();
  });

  test('errors of naming and trust are error documents', async () => {
    const world = await controlWorld();
    await world.contacts.pin(bob);
    world.roster.set(carol.id, listed({ ...carol, name: 'bob' }));
    expect(await world.call('POST', '/v1/peers/bob/connect')).toMatchObject({ status: 409, body: { error: { code: 'trust_changed', details: { contact: bob.id } } } });
    expect(await world.call('POST', '/v1/peers/nobody/connect')).toMatchObject({ status: 404, body: { error: { code: 'no_such_peer' } } });
    expect(await world.call('POST', '/v1/peers/bob/connect', { timeoutMs: 'soon' })).toMatchObject({
      status: 400, body: { error: { code: 'invalid_argument', message: expect.stringContaining('timeoutMs') } },
    });
  });
});

describe('POST /v1/peers/:peer/disconnect', () => {
  test('ends the link; again is no error', async () => {
    const world = await controlWorld();
    await world.contacts.pin(bob);
    world.links.put(bob);
    expect(await world.call('POST', '/v1/peers/bob/disconnect')).toEqual({ status: 200, body: { peer: bob, state: 'disconnected' } });
    expect((await world.call('POST', '/v1/peers/bob/disconnect')).body).toMatchObject({ state: 'already_disconnected' });
  });
});

describe('contacts', () => {
  test('a peer that is seen', async () => {
    const world = await controlWorld();
    world.roster.set(bob.id, listed(bob));
    expect(await world.call('POST', '/v1/contacts', { peer: 'bob' })).toEqual({
      status: 200,
      body: { contact: { ...bob, trust: 'pinned', addresses: [], state: 'online', since: 1_000, lastSeen: null, policy }, state: 'pinned', warnings: [] },
    });
    expect((await world.call('POST', '/v1/contacts', { peer: 'bob' })).body).toMatchObject({ state: 'already_pinned' });
    expect((await world.call('GET', '/v1/contacts')).body).toMatchObject({ contacts: [{ id: bob.id }] });
  });

  test('ID@HOST:PORT needs nobody else; the id may stand in groups', async () => {
    const world = await controlWorld();
    const grouped = bob.id.replace(/(.{4})(?=.)/g, '$1-');
    expect((await world.call('POST', '/v1/contacts', { peer: `${grouped}@[::1]:12001`, name: 'robert' })).body).toMatchObject({
      contact: { id: bob.id, name: 'robert', addresses: ['[::1]:12001'], state: 'offline' }, state: 'pinned',
    });
    expect((await world.call('POST', '/v1/contacts', { peer: `${bob.id}@host.example:1` })).body).toMatchObject({
      contact: { name: 'robert', addresses: ['host.example:1', '[::1]:12001'] }, state: 'already_pinned',
    });
  });

  test('what is no address, oneself, and a name with control characters are refused', async () => {
    const world = await controlWorld();
    for (const [peer, name] of [[`${bob.id}@host`, undefined], [`${bob.id}@host:0`, undefined], [`${self.id}@host:1`, undefined], [`${bob.id}@host:1`, 'a\nb']])
      expect(await world.call('POST', '/v1/contacts', { peer, ...(name === undefined ? {} : { name }) })).toMatchObject({ status: 400, body: { error: { code: 'invalid_argument' } } });
    expect(world.contacts.all()).toEqual([]);
  });

  test('a name with an @ is a name', async () => {
    const world = await controlWorld();
    world.roster.set(bob.id, listed({ id: bob.id, name: 'bob@laptop' }));
    expect((await world.call('POST', '/v1/contacts', { peer: 'bob@laptop' })).body).toMatchObject({ contact: { id: bob.id }, state: 'pinned' });
  });
});

describe('messages', () => {
  test('pins by own act, is stored, and is listed', async () => {
    const world = await controlWorld();
    world.roster.set(bob.id, listed(bob));
    const sent = send(world.socket, 'POST', '/v1/messages', { peer: 'bob', text: 'hello\u0007' });
    sent.on('error', () => {});
    await vi.waitFor(async () => expect((await world.call('GET', '/v1/messages?peer=bob&limit=1')).body).toMatchObject({ peer: bob, messages: [{ text: 'hello\\x07', state: 'queued', stranger: false }] }), { timeout: 20_000 });
    sent.destroy();
    expect(world.contacts.get(bob.id)).toBeDefined();
    expect((await world.call('GET', '/v1/messages?strangers=true')).body).toEqual({ messages: [] });
    expect(await world.call('GET', '/v1/messages?limit=0')).toMatchObject({ status: 400 });
  });
});

describe('forget', () => {
  test('contact, policy and queued messages are gone; what was said is a stranger’s', async () => {
    const world = await controlWorld();
    world.roster.set(bob.id, listed(bob));
    await world.contacts.pin({ ...bob, addresses: [{ host: '::1', port: 1 }] });
    await world.policies.set(bob, 'block', undefined);
    await world.policies.set(bob, 'auto', undefined);
    const sent = send(world.socket, 'POST', '/v1/messages', { peer: 'bob', text: 'hello' });
    sent.on('error', () => {});
    await vi.waitFor(async () => expect((await world.call('GET', '/v1/messages?peer=bob')).body).toMatchObject({ messages: [{ text: 'hello' }] }), { timeout: 20_000 });
    sent.destroy();
    world.links.put(bob);
    expect(await world.call('POST', '/v1/peers/bob/forget')).toEqual({ status: 200, body: { peer: bob, state: 'forgotten', droppedMessages: 1 } });
    expect([world.contacts.all(), world.links.all(), world.policies.view(bob.id, 'new')]).toEqual([[], [], policy]);
    expect((await world.call('GET', '/v1/peers')).body).toMatchObject({ peers: [{ id: bob.id, trust: 'new', addresses: ['127.0.0.1:1'] }] });
    expect((await world.call('POST', '/v1/peers/bob/forget')).body).toMatchObject({ state: 'already_forgotten', droppedMessages: 0 });
  });

  test('not while transfers are not over', async () => {
    const world = await controlWorld();
    await world.contacts.pin(bob);
    const id = '01kagtm5000000000000000001';
    world.unfinished.push({ id, direction: 'send', peer: bob, state: 'queued', entries: 1, bytes: 1, bytesDone: 0, createdAt: 0, updatedAt: 0 });
    expect(await world.call('POST', '/v1/peers/bob/forget')).toMatchObject({ status: 409, body: { error: { code: 'wrong_state', hint: expect.stringContaining(`peerctl cancel ${id}`) as string, details: { transfers: [id] } } } });
    expect(world.contacts.get(bob.id)).toBeDefined();
  });
});
