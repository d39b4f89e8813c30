import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chat as chatMessage, chatAck, type ChatMessageView, chatMaxBytes, encodeMessage, type PeerId } from '@peerd/protocol';
import { createLogger, newUlid } from '@peerd/service';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ChatLimits, chatLimits, loadChat, type StoredChat } from '../../src/chat/chat.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { Database } from '../../src/database/ports.ts';
import type { Link } from '../../src/peer/ports.ts';
import { quietPacing } from '../net/quiet-pacing.ts';
import { linkPair, neededLinks, type Party } from './linked-pair.ts';

const never = new AbortController().signal;

interface Person extends Party {
  readonly user: StoredChat;
  readonly contacts: Set<PeerId>;
  readonly links: ReturnType<typeof neededLinks>;
  readonly events: ChatMessageView[];
  readonly database: Database;
  /** The daemon is started anew. */
  restart(): Promise<Person>;
  /** Resolves with the next message event that passes. */
  next(passes: (message: ChatMessageView) => boolean): Promise<ChatMessageView>;
}

const person = async (name: string, limits: Partial<ChatLimits> = {}, from?: { database: Database; contacts: Set<PeerId> }): Promise<Person> => {
  const database = from?.database ?? (await ownDatabase());
  const contacts = from?.contacts ?? new Set<PeerId>();
  const links = neededLinks();
  const events: ChatMessageView[] = [];
  const watchers = new Set<(message: ChatMessageView) => void>();
  const user = await loadChat({
    database,
    contacts: { get: (id) => (contacts.has(id) ? { id, name: 'label', trust: 'pinned', addresses: [], since: 0, lastSeen: null } : undefined) },
    links: () => links,
    events: {
      publish: (event) => {
        if (event.kind !== 'message') return;
        events.push(event.message);
        for (const watcher of watchers) watcher(event.message);
      },
    },
    logger: createLogger('test', 'silent'),
    pacing: quietPacing(),
    limits: { ...chatLimits, deliveryWaitMs: 20_000, ...limits },
  });
  user.start();
  return {
    id: (name[0] ?? '').repeat(52), name, user, contacts, links, events, database,
    restart: () => person(name, limits, { database, contacts }),
    next: async (passes) => {
      const { promise, resolve } = Promise.withResolvers<ChatMessageView>();
      const watcher = (message: ChatMessageView): void => {
        if (!passes(message)) return;
        watchers.delete(watcher);
        resolve(message);
      };
      watchers.add(watcher);
      return promise;
    },
  };
};

const ownDatabase = async (): Promise<Database> => {
  const stateDir = await mkdtemp(join(tmpdir(), 'peerd-chat-'));
  const database = await openDatabase({ stateDir, onLoss: () => {}, onFailure: () => {} });
  onTestFinished(async () => {
    await database.close();
    await rm(stateDir, { recursive: true });
  });
  return database;
};

/** Two that are contacts of each other. */
const friends = async (limits: Partial<ChatLimits> = {}): Promise<[Person, Person]> => {
  const alice = await person('alice', limits);
  const bob = await person('bob', limits);
  alice.contacts.add(bob.id);
  bob.contacts.add(alice.id);
  return [alice, bob];
};

const texts = async (of: Person, peer: Person): Promise<string[]> => (await of.user.messages({ peer: peer.id, limit: 1_000 })).map(({ text, state }) => `${text} ${state}`);

describe('chat', () => {
  test('only the peer that a message is for acknowledges it', async () => {
    const [alice, bob] = await friends();
    linkPair(alice, bob, (_to, kind) => kind === 'chat-ack');
    const { promise: linked, resolve } = Promise.withResolvers<Link>();
    const carol: Party = { id: 'c'.repeat(52), name: 'carol', user: { linkUp: resolve, linkDown: () => {}, message: async () => {} } };
    alice.contacts.add(carol.id);
    linkPair(alice, carol);
    const [stop, link] = [new AbortController(), await linked];
    const queued = alice.next(({ text }) => text === 'for bob');
    const sending = alice.user.send(bob, 'for bob', stop.signal);
    await link.send(encodeMessage(chatAck, { id: (await queued).id }));
    const heard = alice.next(({ text }) => text === 'behind it');
    await link.send(encodeMessage(chatMessage, { id: newUlid(), text: 'behind it', sentAt: 1 }));
    await heard;
    stop.abort();
    expect((await sending).state).toBe('queued');
    expect(await texts(alice, bob)).toEqual(['for bob queued']);
  });

  test('over a link: delivered when the other side has stored it, both ways', async () => {
    const [alice, bob] = await friends();
    linkPair(alice, bob);
    const [one, two] = await Promise.all([alice.user.send(bob, 'hello', never), bob.user.send(alice, 'hi', never)]);
    expect([one.state, two.state]).toEqual(['delivered', 'delivered']);
    expect(await texts(bob, alice)).toEqual(expect.arrayContaining(['hello delivered', 'hi delivered']));
    expect(await texts(alice, bob)).toEqual(expect.arrayContaining(['hello delivered', 'hi delivered']));
    expect(alice.links.needed.size).toBe(0);
    expect(alice.events.filter(({ direction }) => direction === 'sent').map(({ state }) => state)).toEqual(['queued', 'delivered']);
  });

  test('a message travels while it is stored, and is delivered without a note of it at the sender', async () => {
    const held = { insert: Promise.withResolvers<void>(), update: Promise.withResolvers<void>() };
    const database = await ownDatabase();
    const slow: Database = {
      run: (...call) => database.run(...call),
      all: (...call) => database.all(...call),
      batch: (...call) => database.batch(...call),
      close: () => database.close(),
      get: async (sql, ...params) => {
        if (sql.startsWith('INSERT')) await held.insert.promise;
        if (sql.startsWith('UPDATE')) await held.update.promise;
        return database.get(sql, ...params);
      },
    };
    const alice = await person('alice', {}, { database: slow, contacts: new Set(['b'.repeat(52)]) });
    const bob = await person('bob', {}, { database: await ownDatabase(), contacts: new Set([alice.id]) });
    linkPair(alice, bob);
    const arrived = bob.next(() => true);
    let isTold = false;
    const sending = alice.user.send(bob, 'at once', never).finally(() => (isTold = true));
    expect(await arrived).toMatchObject({ text: 'at once' });
    // What is not stored here yet is not promised.
    expect(isTold).toBe(false);
    held.insert.resolve();
    expect((await sending).state).toBe('delivered');
    expect(await texts(alice, bob)).toEqual(['at once queued']);
    const noted = alice.next(({ state }) => state === 'delivered');
    held.update.resolve();
    await noted;
    expect(await texts(alice, bob)).toEqual(['at once delivered']);
    expect(bob.events).toHaveLength(1);
  });

  test('messages that are sent together keep their order', async () => {
    const [alice, bob] = await friends();
    const { seen } = linkPair(alice, bob);
    const numbers = Array.from({ length: 80 }, (_, index) => `${index}`);
    const last = bob.next(({ text }) => text === '79');
    await Promise.all(numbers.map((text) => alice.user.send(bob, text, never)));
    await last;
    expect(await texts(bob, alice)).toEqual(numbers.map((text) => `${text} delivered`));
    expect(seen.get(bob.id)).toHaveLength(80);
  });

  test('without a link: queued, the peer is needed, and all of it goes out in order at the next link', async () => {
    const [alice, bob] = await friends({ deliveryWaitMs: 1 });
    const sent = await Promise.all(Array.from({ length: 100 }, (_, index) => alice.user.send(bob, `${index}`, never)));
    expect(new Set(sent.map(({ state }) => state))).toEqual(new Set(['queued']));
    expect([...alice.links.needed]).toEqual(['chat b']);
    const last = alice.next((message) => message.text === '99' && message.state === 'delivered');
    linkPair(alice, bob);
    await last;
    expect(await texts(bob, alice)).toEqual(Array.from({ length: 100 }, (_, index) => `${index} delivered`));
    expect(alice.links.needed.size).toBe(0);
  });

  test('queued messages outlive a restart', async () => {
    const [alice, bob] = await friends({ deliveryWaitMs: 1 });
    await alice.user.send(bob, 'later', never);
    const again = await alice.restart();
    expect([...again.links.needed]).toEqual(['chat b']);
    const delivered = again.next(({ state }) => state === 'delivered');
    linkPair(again, bob);
    await delivered;
    expect(await texts(bob, alice)).toEqual(['later delivered']);
  });

  test('a lost acknowledgement: sent again at the next link, shown once', async () => {
    const [alice, bob] = await friends({ deliveryWaitMs: 1 });
    const arrived = bob.next(() => true);
    const first = linkPair(alice, bob, (_to, kind) => kind === 'chat-ack');
    await alice.user.send(bob, 'once', never);
    await arrived;
    first.cut();
    expect(await texts(alice, bob)).toEqual(['once queued']);
    const delivered = alice.next(({ state }) => state === 'delivered');
    const second = linkPair(alice, bob);
    await delivered;
    expect(second.seen.get(bob.id)).toEqual(['chat']);
    expect(await texts(bob, alice)).toEqual(['once delivered']);
    expect(bob.events).toHaveLength(1);
  });

  test('at most 32 are sent ahead of their acknowledgements', async () => {
    const [alice, bob] = await friends({ deliveryWaitMs: 1 });
    await Promise.all(Array.from({ length: 50 }, (_, index) => alice.user.send(bob, `${index}`, never)));
    const arrived = bob.next(({ text }) => text === '31');
    const pair = linkPair(alice, bob, (_to, kind) => kind === 'chat-ack');
    await arrived;
    await alice.database.get('SELECT 1');
    expect(pair.seen.get(bob.id)).toHaveLength(32);
  });

  test('a daemon that ended right after a stranger became a contact does not keep its messages apart', async () => {
    const [alice, bob] = await Promise.all([person('alice'), person('bob')]);
    linkPair(alice, bob);
    await alice.user.send(bob, 'it is me', never);
    bob.contacts.add(alice.id);
    const again = await bob.restart();
    expect(await again.user.messages({ limit: 10 })).toMatchObject([{ text: 'it is me', stranger: false }]);
    expect(await again.user.messages({ strangers: true, limit: 10 })).toEqual([]);
  });

  test('strangers are kept apart, bounded, and join the others when they become contacts', async () => {
    const alice = await person('alice');
    const bob = await person('bob', { perStranger: 3, ofStrangers: 5 });
    const carol = await person('carol');
    const dave = await person('dave');
    for (const [sender, count] of [[alice, 4], [carol, 4], [dave, 1]] as const) {
      const last = bob.next(({ peer, text }) => peer.id === sender.id && text === (sender === alice ? '2' : '1'));
      linkPair(sender, bob);
      const results = Array.from({ length: count }, (_, index) => sender.user.send(bob, `${index}`, AbortSignal.timeout(500)));
      if (sender !== dave) await last;
      expect((await Promise.all(results)).filter(({ state }) => state === 'delivered')).toHaveLength(sender === alice ? 3 : sender === carol ? 2 : 0);
    }
    expect(await bob.user.messages({ limit: 100 })).toEqual([]);
    const strange = await bob.user.messages({ strangers: true, limit: 100 });
    expect(strange.map(({ peer, stranger }) => `${peer.name} ${stranger}`)).toEqual(['alice true', 'alice true', 'alice true', 'carol true', 'carol true']);
    bob.contacts.add(alice.id);
    await bob.user.adopt(alice.id);
    expect((await bob.user.messages({ limit: 100 })).map(({ peer, stranger }) => `${peer.name} ${stranger}`)).toEqual(Array(3).fill('label false'));
    // Forgotten: a stranger's again, and of no weight against what other strangers may leave.
    bob.contacts.delete(alice.id);
    expect(await bob.user.disown(alice.id)).toBe(0);
    expect(await bob.user.messages({ limit: 100 })).toEqual([]);
    expect(await bob.user.messages({ strangers: true, limit: 100 })).toEqual(strange);
    const again = bob.next(({ peer, text }) => peer.id === dave.id && text === 'there is room now');
    linkPair(dave, bob);
    await Promise.all([again, dave.user.send(bob, 'there is room now', never)]);
  });

  test('what there was no room for comes again over the same link, and the messages behind it too', async () => {
    const alice = await person('alice', { againMs: 20 });
    const bob = await person('bob', { perStranger: 1 });
    linkPair(alice, bob);
    expect((await alice.user.send(bob, 'first', never)).state).toBe('delivered');
    for (let index = 0; index < 40; index += 1) expect((await alice.user.send(bob, `${index}`, AbortSignal.abort())).state).toBe('queued');
    bob.contacts.add(alice.id);
    await bob.user.adopt(alice.id);
    // In the order in which there was room: who becomes a contact within a round hears the rest of it before the next one.
    await expect.poll(async () => (await texts(bob, alice)).toSorted()).toEqual(['first delivered', ...Array.from({ length: 40 }, (_, index) => `${index} delivered`)].toSorted());
  });

  test('a flood waits: beyond the burst it is read at the given rate', async () => {
    const [alice, bob] = await friends({ rate: { burst: 5, perSecond: 1 } });
    const pair = linkPair(alice, bob);
    const fifth = bob.next(({ text }) => text === '4');
    void Promise.all(Array.from({ length: 20 }, (_, index) => alice.user.send(bob, `${index}`, never)));
    await fifth;
    await bob.database.get('SELECT 1');
    // The sixth has been taken off the wire and waits; the seventh has not.
    expect(bob.events.length).toBeLessThanOrEqual(6);
    expect(pair.seen.get(bob.id)?.length).toBeLessThanOrEqual(7);
    pair.cut();
  });

  test('of a long talk the newest messages are kept, and whatever is still queued', async () => {
    const [alice, bob] = await friends({ perPeer: 10, rate: { burst: 10_000, perSecond: 1 } });
    const queued = bob.user.send(alice, 'waiting', AbortSignal.timeout(1));
    expect((await queued).state).toBe('queued');
    const last = bob.next(({ text }) => text === '300');
    // Straight onto the wire: nobody at the other end acknowledges.
    let sender: { send(frame: Buffer): Promise<void> } | undefined;
    linkPair({ ...alice, user: { linkUp: (l) => (sender = l), linkDown: () => {}, message: () => {} } }, bob);
    for (let index = 1; index <= 300; index += 1) await sender?.send(encodeMessage(chatMessage, { id: newUlid(), text: `${index}`, sentAt: 0 }));
    await last;
    const kept = await texts(bob, alice);
    expect(kept[0]).toBe('waiting queued');
    expect(kept.length).toBeLessThan(10 + 256);
    expect(kept.at(-1)).toBe('300 delivered');
  });

  test('the same over many links, and of what was only sent', async () => {
    const [alice, bob] = await friends({ perPeer: 10, rate: { burst: 10_000, perSecond: 1 } });
    for (let link = 0; link < 3; link += 1) {
      const pair = linkPair(alice, bob);
      for (let sent = 0; sent < 150; sent += 25) await Promise.all(Array.from({ length: 25 }, (_, index) => alice.user.send(bob, `${link} ${sent + index}`, never)));
      pair.cut();
    }
    for (const [one, other] of [[alice, bob], [bob, alice]] as const) expect((await texts(one, other)).length).toBeLessThan(10 + 256 + 25);
  });

  test('a database that fails for a while: what waits goes out over the same link', async () => {
    const [alice, bob] = await friends();
    expect((await alice.user.send(bob, 'waiting', AbortSignal.timeout(1))).state).toBe('queued');
    await alice.database.run('ALTER TABLE messages RENAME TO hidden');
    const arrived = bob.next(({ text }) => text === 'waiting');
    linkPair(alice, bob);
    await alice.database.get('SELECT 1');
    await alice.database.run('ALTER TABLE hidden RENAME TO messages');
    await arrived;
  });

  test('a message that is written while its peer is forgotten still waits', async () => {
    const [alice, bob] = await friends();
    await alice.user.send(bob, 'before', AbortSignal.timeout(1));
    const [dropped, { state }] = await Promise.all([alice.user.disown(bob.id), alice.user.send(bob, 'meanwhile', AbortSignal.timeout(1))]);
    expect([dropped, state, alice.user.queued, [...alice.links.needed]]).toEqual([1, 'queued', 1, ['chat b']]);
  });

  test('what is no message is refused: empty, too long, with NUL', async () => {
    const [alice, bob] = await friends();
    for (const text of ['', 'x'.repeat(chatMaxBytes + 1), 'a\0b', '\ud800']) await expect(alice.user.send(bob, text, never)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(alice.links.needed.size).toBe(0);
  });

  test('too many waiting messages for one peer are refused', async () => {
    const [alice, bob] = await friends({ queued: 2, deliveryWaitMs: 1 });
    await Promise.all([alice.user.send(bob, '1', never), alice.user.send(bob, '2', never)]);
    await expect(alice.user.send(bob, '3', never)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('text and names are escaped', async () => {
    const alice = await person('alice');
    const bob = await person('bob');
    linkPair({ ...alice, name: 'a\u202e' }, bob);
    await alice.user.send(bob, '\u001b[2J\n', never);
    expect(await bob.user.messages({ strangers: true, limit: 1 })).toMatchObject([{ text: '\\x1b[2J\\n', peer: { name: 'a\\u{202e}' } }]);
  });
});
