import { type ChatMessageView, messagesResponseSchema, sendMessageResponseSchema, trustResponseSchema } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { Refusal, TestDaemon } from '../support/daemon.ts';
import { bob, carol, contact } from '../support/fixtures.ts';
import { documents, start, startOnTerminal } from '../support/peerctl.ts';

const message = (text: string, more: Partial<ChatMessageView> = {}): ChatMessageView => ({ id: `m-${text}`, peer: bob, direction: 'received', text, sentAt: 0, state: 'delivered', stranger: false, ...more });

const talking = async (history: ChatMessageView[] = []): Promise<TestDaemon> =>
  (await TestDaemon.start())
    .on('POST /v1/contacts', trustResponseSchema, { contact: contact(bob), state: 'pinned', warnings: ['another peer is called bob'] })
    .on('GET /v1/messages', messagesResponseSchema, { peer: bob, messages: history })
    .on('POST /v1/messages', sendMessageResponseSchema, ({ body }) => {
      const { text } = body as { text: string };
      const state = text.includes('later') ? ('queued' as const) : ('delivered' as const);
      return { message: message(text, { direction: 'sent', state }), state, warnings: [] };
    });

const said = (daemon: TestDaemon): unknown[] => daemon.asked.filter(({ method, path }) => method === 'POST' && path === '/v1/messages').map(({ body }) => body);

describe('--follow', () => {
  test('prints what arrives from this peer, as one document per message', async () => {
    await using daemon = await talking([message('old')]);
    const running = start(['chat', 'Bob', '--follow', '--json'], { socket: daemon.socket });
    const asked = await daemon.received('GET /v1/messages');
    expect(asked.query.get('peer')).toBe('Bob');
    for (const one of [message('from carol', { peer: carol }), message('mine', { direction: 'sent' }), message('hello')]) daemon.publish({ kind: 'message', message: one });
    await running.shows(/hello/);
    running.child.kill('SIGINT');
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(documents(stdout)).toEqual([{ message: message('hello') }]);
    expect(daemon.asked.map(({ path }) => path)).not.toContain('/v1/contacts');
  });

  test('as text; a stranger is marked', async () => {
    await using daemon = await talking();
    const running = start(['chat', 'bob', '--follow'], { socket: daemon.socket });
    await daemon.received('GET /v1/messages');
    daemon.publish({ kind: 'message', message: message('a\\nb', { stranger: true }) });
    await running.shows(/\n/);
    running.child.kill('SIGINT');
    expect((await running.finished).stdout).toBe('00:00 bob (stranger): a\\nb\n');
  });

  test('of a peer that nobody knows: exit 4', async () => {
    await using daemon = await talking();
    daemon.refuse('GET /v1/messages', new Refusal('no_such_peer', 'no peer "bob"', 'See `peerctl peers`.', 404));
    const { code, stderr } = await start(['chat', 'bob', '--follow'], { socket: daemon.socket }).finished;
    expect(code).toBe(4);
    expect(stderr).toContain('no peer "bob"');
  });
});

describe('a pipe', () => {
  test('each line is a message; what arrives is shown; the end of the input is the end', async () => {
    await using daemon = await talking();
    const running = start(['chat', 'bob'], { socket: daemon.socket, stdin: 'open' });
    running.type('one\n\n/two\nlater');
    await running.shows(/delivered to bob\ndelivered to bob\n/);
    daemon.publish({ kind: 'message', message: message('hello') });
    await running.shows(/00:00 bob: hello/);
    running.child.stdin?.end();
    const { code, stdout, stderr } = await running.finished;
    expect(code).toBe(0);
    expect(stderr).toBe('warning: another peer is called bob\n');
    expect(stdout).toBe('delivered to bob\ndelivered to bob\n00:00 bob: hello\nqueued: bob gets it as soon as it can be reached\n');
    expect(said(daemon)).toEqual(['one', '/two', 'later'].map((text) => ({ peer: bob.id, text })));
  });

  test('the first message that fails is the end', async () => {
    await using daemon = await talking();
    daemon.refuse('POST /v1/messages', new Refusal('rate_limited', 'too many wait for bob'));
    const running = start(['chat', 'bob', '--json'], { socket: daemon.socket, stdin: 'open' });
    running.type('one\ntwo\n');
    const { code, stderr } = await running.finished;
    expect(code).toBe(1);
    expect(documents(stderr)).toMatchObject([{ error: { code: 'rate_limited' } }]);
    expect(said(daemon)).toHaveLength(1);
  });
});

describe('a terminal', () => {
  test('history, what is typed, what arrives above it, late deliveries, /quit', async () => {
    await using daemon = await talking([message('earlier')]);
    const running = startOnTerminal(['chat', 'bob'], { socket: daemon.socket });
    await running.shows(/talking with bob \(bbbbbbbb\), online/);
    await running.shows(/earlier/);
    running.type('read this later\r');
    await running.shows(/queued: bob gets it/);
    daemon.publish({ kind: 'message', message: message('read this later', { direction: 'sent' }) });
    await running.shows(/delivered: read this later/);
    running.type('half a li');
    await running.shows(/half a li/);
    daemon.publish({ kind: 'message', message: message('hello') });
    await running.shows(/hello[\s\S]*half a li/);
    running.type('ne\r');
    await daemon.received('POST /v1/messages', 2);
    running.type('/help\r//slash\r');
    await daemon.received('POST /v1/messages', 3);
    running.type('/quit\r');
    const { code } = await running.finished;
    expect(code).toBe(0);
    expect(said(daemon).map((body) => (body as { text: string }).text)).toEqual(['read this later', 'half a line', '/slash']);
  });

  test('a message that fails is told, the conversation goes on; Ctrl-D ends it', async () => {
    await using daemon = await talking();
    daemon.refuse('POST /v1/messages', new Refusal('rate_limited', 'too many wait for bob'));
    const running = startOnTerminal(['chat', 'bob'], { socket: daemon.socket });
    await running.shows(/talking with/);
    running.type('hello\r');
    await running.shows(/not sent:[\s\S]*too many wait for bob/);
    running.type('\u0004');
    expect((await running.finished).code).toBe(0);
  });

  test('Ctrl-C: exit 130', async () => {
    await using daemon = await talking();
    const running = startOnTerminal(['chat', 'bob'], { socket: daemon.socket });
    await running.shows(/talking with/);
    running.type('\u0003');
    expect((await running.finished).code).toBe(130);
  });
});

describe('what was said', () => {
  const at = Date.UTC(2026, 0, 31, 17, 5);

  test('--history, with one peer and with all', async () => {
    await using daemon = await talking([message('hi', { sentAt: at }), message('later', { sentAt: at, direction: 'sent', state: 'queued' })]);
    const { code, stdout } = await start(['chat', 'bob', '--history', '7'], { socket: daemon.socket }).finished;
    expect([code, stdout]).toEqual([0, '2026-01-31 17:05 bob: hi\n2026-01-31 17:05 me: later (queued)\n']);
    expect(daemon.asked.at(-1)?.query.toString()).toBe('peer=bob&limit=7');
    expect((await start(['chat', '--history'], { socket: daemon.socket }).finished).stdout).toContain('me to bob: later');
    expect(daemon.asked.at(-1)?.query.toString()).toBe('limit=100');
    const json = await start(['chat', 'bob', '--history', '--json'], { socket: daemon.socket }).finished;
    expect(documents(json.stdout)).toMatchObject([{ peer: bob, messages: [{ text: 'hi' }, { text: 'later' }] }]);
  });

  test('--strangers, by sender; nobody becomes a contact', async () => {
    await using daemon = await talking([message('one', { stranger: true, sentAt: at }), message('two', { stranger: true, peer: carol, sentAt: at }), message('three', { stranger: true, sentAt: at })]);
    const { code, stdout } = await start(['chat', '--strangers'], { socket: daemon.socket }).finished;
    expect(code).toBe(0);
    expect(stdout).toBe('bob (bbbbbbbb): 2 messages\n  2026-01-31 17:05 bob: one\n  2026-01-31 17:05 bob: three\ncarol (cccccccc): 1 message\n  2026-01-31 17:05 carol: two\n\nwrite back:   peerctl chat bbbbbbbb  (it becomes a contact)\nshut it out:  peerctl policy bbbbbbbb block\n');
    expect(daemon.asked.map(({ method }) => method)).not.toContain('POST');
  });

  test.each([
    [['chat'], /say with whom/],
    [['chat', 'bob', '--history', '0'], /whole number from 1 to 10000/],
    [['chat', 'bob', 'hi', '--history'], /exclude each other/],
    [['chat', 'bob', '--strangers'], /exclude each other/],
    [['chat', 'bob', '--follow', '--history'], /exclude each other/],
  ])('%j: exit 2', async (args, message) => {
    const { code, stderr } = await start(args).finished;
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
