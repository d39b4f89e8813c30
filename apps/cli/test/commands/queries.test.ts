import { contactsResponseSchema, inboxResponseSchema, peersResponseSchema, statusResponseSchema, transferDetailSchema, transfersResponseSchema, whoamiResponseSchema } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { TestDaemon } from '../support/daemon.ts';
import { alice, bob, carol, chunks, contact, detail, firstId, offer, peer, secondId, status, transfer } from '../support/fixtures.ts';
import { documents, peerctl } from '../support/peerctl.ts';

const me = { id: alice.id, shortId: 'aaaaaaaa', name: 'alice' };
const offers = { offers: [offer({ conflicts: 2, note: 'for you', diff: { new: 1, same: 0, conflict: 1, risky: 2, counted: true }, risks: [{ path: '.bashrc', reasons: ['hidden'] }] })], introductions: [{ id: 'i1', from: carol, trust: 'new' as const, receivedAt: 0 }] };
const peers = { peers: [peer(bob, { state: 'linked', trust: 'pinned' }), peer({ ...carol, name: 'caf\\u{202e}' }, { addresses: [] })] };

const everything = async (): Promise<TestDaemon> =>
  (await TestDaemon.start())
    .on('GET /v1/whoami', whoamiResponseSchema, me)
    .on('GET /v1/status', statusResponseSchema, status)
    .on('GET /v1/peers', peersResponseSchema, peers)
    .on('GET /v1/contacts', contactsResponseSchema, { contacts: [contact(bob)] })
    .on('GET /v1/inbox', inboxResponseSchema, offers)
    .on('GET /v1/transfers', transfersResponseSchema, { transfers: [transfer(), transfer({ id: secondId, direction: 'receive', state: 'transferring', bytesDone: 1_000_000 })] })
    .on(`GET /v1/transfers/${firstId}`, transferDetailSchema, detail());

describe('--json prints the document of the daemon, in one line', () => {
  test.each([
    [['whoami'], me],
    [['status'], status],
    [['peers'], peers],
    [['contacts'], { contacts: [contact(bob)] }],
    [['inbox'], { ...offers, offers: [expect.objectContaining({ id: firstId, from: bob, entries: 2, bytes: 4_000_000, note: 'for you', conflicts: 2 })] }],
    [['transfers'], { transfers: [transfer(), transfer({ id: secondId, direction: 'receive', state: 'transferring', bytesDone: 1_000_000 })] }],
    [['show', firstId], detail()],
  ])('%j', async (args, document) => {
    await using daemon = await everything();
    const { code, stdout, stderr } = await peerctl([...args, '--json'], { socket: daemon.socket });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(documents(stdout)).toEqual([document]);
  });
});

describe('as text, without colours where it is no terminal', () => {
  const text = async (...args: string[]): Promise<string> => {
    await using daemon = await everything();
    const { code, stdout, stderr } = await peerctl(args, { socket: daemon.socket, env: { CI: '1', FORCE_COLOR: '' } });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
    return stdout;
  };

  test('whoami', async () => {
    expect(await text('whoami')).toBe(`name      alice\nid        ${Array.from({ length: 13 }, () => 'aaaa').join('-')}\nshort id  aaaaaaaa\n`);
  });

  test('status', async () => {
    const shown = await text('status');
    for (const part of [/^name +alice$/m, /^listening on +127\.0\.0\.1:12001$/m, /^metrics +http:\/\/127\.0\.0\.1:12081\/metrics$/m, /127\.0\.0\.1:12000 \(rrrrrrrr\) registered$/m, /192\.0\.2\.1:12000 refused: the rendezvous is full$/m, /192\.0\.2\.2:12000 connecting: timed out$/m, /^links +bob \(bbbbbbbb\) at 127\.0\.0\.1:40000/m, /1 active, 2 waiting, 1 offer in the inbox/])
      expect(shown).toMatch(part);
  });

  test('status tells of who is read slowly, and not of who was in a hurry', async () => {
    await using daemon = (await TestDaemon.start()).on('GET /v1/status', statusResponseSchema, { ...status, links: [4_999, 61_000].flatMap((pacedMs) => status.links.map((link) => ({ ...link, pacedMs }))) });
    const { stdout } = await peerctl(['status'], { socket: daemon.socket, env: { CI: '1', FORCE_COLOR: '' } });
    expect(stdout.split('\n').filter((line) => line.includes('bob')).map((line) => /says more than it may.*$/.exec(line)?.[0])).toEqual([undefined, 'says more than it may: not read for 1m 01s of it']);
  });

  test('peers', async () => {
    expect(await text('peers')).toBe(
      [
        'NAME         STATE   TRUST   ID        ROOM   ADDRESS',
        'bob          linked  pinned  bbbbbbbb  lobby  127.0.0.1:40000',
        'caf\\u{202e}  online  new     cccccccc  lobby  -',
        '',
      ].join('\n'),
    );
  });

  test('contacts', async () => {
    expect(await text('contacts')).toMatch(/^NAME +STATE +TRUST +POLICY +ID +LAST SEEN +PINNED +ADDRESS\nbob +online +pinned +ask +bbbbbbbb +never +2025-11-\d\d \d\d:\d\d +127\.0\.0\.1:40000\n$/);
  });

  test('inbox', async () => {
    const shown = await text('inbox');
    expect(shown).toMatch(/^01kagtm50000 +bob~bbbb \(new\) offers 2 entries, 3\.8 MiB, just now$/m);
    for (const line of ['photos', '"for you"', '1 new, 1 in conflict (what exists stays, the new one gets another name)', '⚠ 2 risky: .bashrc (hidden) and 1 more', 'needs 3.8 MiB of 19 GiB free'])
      expect(shown.split('\n').map((text) => text.trim())).toContain(line);
    expect(shown).toContain('peerctl accept 01kagtm50000');
    expect(shown).toMatch(/^i1 +carol +new +cccccccc/m);
  });

  test('transfers', async () => {
    const shown = await text('transfers');
    expect(shown).toMatch(new RegExp(`^${firstId} +to +bob +queued +- +3\\.8 MiB +2 `, 'm'));
    expect(shown).toMatch(new RegExp(`^${secondId} +from +bob +transferring +25% +3\\.8 MiB +2 `, 'm'));
  });

  test('show', async () => {
    const shown = await text('show', firstId);
    expect(shown).toMatch(/^to +bob \(bbbbbbbb\)$/m);
    expect(shown).toMatch(/^content +2 entries, 3\.8 MiB$/m);
    expect(shown).toMatch(/^photos\/ +- +waiting$/m);
    expect(shown).toMatch(/^photos\/a\.jpg +3\.8 MiB +waiting$/m);
  });

  test('what is empty says what to do', async () => {
    await using daemon = await TestDaemon.start();
    daemon
      .on('GET /v1/peers', peersResponseSchema, { peers: [] })
      .on('GET /v1/contacts', contactsResponseSchema, { contacts: [] })
      .on('GET /v1/inbox', inboxResponseSchema, { offers: [], introductions: [] })
      .on('GET /v1/transfers', transfersResponseSchema, { transfers: [] });
    const shown = await Promise.all(['peers', 'contacts', 'inbox', 'transfers'].map((command) => peerctl([command], { socket: daemon.socket })));
    expect(shown.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(shown.map(({ stdout }) => stdout)).toEqual([expect.stringContaining('peerctl status'), expect.stringContaining('connect, send, chat'), 'nothing waits for a decision\n', expect.stringContaining('peerctl send')]);
  });
});

describe('show', () => {
  test('pages', async () => {
    await using daemon = await TestDaemon.start();
    daemon.on('GET /v1/transfers/01k', transferDetailSchema, ({ query }) => detail({ filesOffset: Number(query.get('offset') ?? 0), filesTotal: 1000 }));
    const { stdout } = await peerctl(['show', '01k', '--offset', '200', '--limit', '2'], { socket: daemon.socket });
    expect(daemon.asked[0]?.query.toString()).toBe('offset=200&limit=2');
    expect(stdout).toContain(`entries 201 to 202 of 1000; the next: peerctl show ${firstId} --offset 202`);
    await peerctl(['show', '01k'], { socket: daemon.socket });
    expect(daemon.asked[1]?.query.toString()).toBe('limit=100');
  });

  test('an offer: what it would mean where it would go', async () => {
    await using daemon = await TestDaemon.start();
    const offered = detail({
      direction: 'receive', state: 'offered',
      offer: { trust: 'new', conflict: 'overwrite', destination: '/home/bob', diff: { new: 1, same: 0, conflict: 1, risky: 1, counted: false }, space: { needed: 4_000_000, free: 1_000_000, fits: false } },
      files: [
        { path: 'photos', type: 'directory', bytes: 0, state: 'waiting', diff: 'new' },
        { path: 'photos/a.sh', type: 'file', bytes: 4, state: 'waiting', diff: 'conflict', risky: ['executable'] },
      ],
    });
    daemon.on('GET /v1/transfers/01k', transferDetailSchema, offered);
    const { stdout } = await peerctl(['show', '01k', '--to', '/home/bob'], { socket: daemon.socket });
    expect(daemon.asked[0]?.query.get('to')).toBe('/home/bob');
    for (const part of [/^trust +new$/m, /^would go to +\/home\/bob$/m, /^there +1 new, 1 in conflict \(what exists is replaced\), and more that were not compared$/m, /^space +too little space: needs 3\.8 MiB, 977 KiB free$/m, /^PATH +SIZE +THERE +LOOK AT$/m, /^photos\/ +- +new$/m, /^photos\/a\.sh +4 B +conflict +can be run$/m])
      expect(stdout).toMatch(part);
  });

  test('what is finished: names, chunks, times, receipt, failures', async () => {
    await using daemon = await TestDaemon.start();
    const done = detail({
      state: 'failed',
      error: { code: 'partial', message: '1 entry failed' },
      note: 'for you',
      bytesDone: 4_000_000,
      savedAs: ['/d/photos (1)'],
      chunks: { ...chunks, sent: 4, reused: 2 },
      stages: { read: 20, hash: 0, socket: 1500, write: 0, limit: 0, compress: 0, paused: 0, waiting: 65_000 },
      receipt: { receivedAt: 0, durability: 'transfer', contentRoot: 'ab', verified: true },
      files: [
        { path: 'photos', type: 'directory', bytes: 0, state: 'done', savedAs: '/d/photos (1)' },
        { path: 'photos/l', type: 'symlink', bytes: 0, state: 'done', target: 'a.jpg' },
        { path: 'photos/a.jpg', type: 'file', bytes: 4, state: 'failed', error: { code: 'source_changed', message: 'it changed' } },
      ],
      filesTotal: 3,
    });
    daemon.on('GET /v1/transfers/01k', transferDetailSchema, done);
    const { stdout } = await peerctl(['show', '01k'], { socket: daemon.socket });
    for (const part of [/^state +failed: 1 entry failed \(partial\)$/m, /^saved as +\/d\/photos \(1\)$/m, /^chunks +4 sent, 1 received, 2 reused, 0 rewritten, 1\.0 MiB each$/m, /^time +read <1s, socket 1s, waiting for a person 1m 05s$/m, /^receipt +19\S+ \S+, on stable storage, signature verified$/m, /^photos\/l -> a\.jpg/m, /^photos\/a\.jpg +4 B +failed +it changed$/m])
      expect(stdout).toMatch(part);
  });
});
