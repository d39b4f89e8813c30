import { randomBytes } from 'node:crypto';
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeRandomFile } from '../harness/files.ts';
import { type Peer, World } from '../harness/world.ts';

interface Receipts {
  receipts: { seq: number; role: string; transfer: string; peer: { id: string; name: string }; receipt: { contentRoot: string; delivered: number; signature: string } | null }[];
  total: number;
}
interface Verdict {
  valid: boolean;
  entries: number;
  intact: number;
  problem: { kind: string; seq: number } | null;
}

interface History {
  transfers: { id: string; state: string; savedAs: string[]; receipt: string; error?: { code: string } }[];
  total: number;
}
interface Why {
  running: boolean;
  elapsed: number;
  stages: Record<'read' | 'hash' | 'socket' | 'write' | 'waiting', number>;
  bottleneck: { what: string } | null;
  sentence: string;
}

const logOf = (peer: Peer): string => join(peer.directory, 'state', 'receipts.log');

/** Where each entry begins, and the end: the layout of docs/protocol/receipts.md. */
const boundaries = (bytes: Buffer): number[] => {
  const found = [17];
  for (let at = 17; at < bytes.length; found.push(at)) at += 4 + bytes.readUInt32BE(at) + 32;
  return found;
};

const verdict = async (peer: Peer): Promise<{ code: number | null; verdict: Verdict; stderr: string }> => {
  const { code, stdout, stderr } = await peer.run('receipts', 'verify', '--json');
  return { code, stderr, verdict: JSON.parse(stdout) as Verdict };
};

/** Alice has sent `count` files to bob, who took them at once. */
const sent = async (world: World, count: number): Promise<[Peer, Peer]> => {
  await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
  for (let index = 0; index < count; index += 1) {
    await writeFile(join(alice.directory, `file ${index}`), randomBytes(1_000));
    expect((await alice.run('send', 'bob', `file ${index}`)).code).toBe(0);
  }
  return [alice, bob];
};

describe.concurrent('proof', () => {
  test('both ends have the same signed receipts, in order, valid, also after a kill', async () => {
    await using world = await World.create();
    const [alice, bob] = await sent(world, 3);
    await Promise.all([alice.end('SIGKILL'), bob.end('SIGKILL')]);
    await Promise.all([alice.start(), bob.start()]);
    const [ours, theirs] = await Promise.all([alice.json<Receipts>('receipts'), bob.json<Receipts>('receipts')]);
    expect(ours.receipts.map(({ seq, role, peer }) => [seq, role, peer])).toEqual([3, 2, 1].map((seq) => [seq, 'sent', { id: bob.id, name: 'bob' }]));
    expect(theirs.receipts.map(({ seq, role, peer }) => [seq, role, peer.id])).toEqual([3, 2, 1].map((seq) => [seq, 'received', alice.id]));
    expect(theirs.receipts.map(({ transfer, receipt }) => [transfer, receipt])).toEqual(ours.receipts.map(({ transfer, receipt }) => [transfer, receipt]));
    for (const peer of [alice, bob]) expect(await verdict(peer)).toMatchObject({ code: 0, verdict: { valid: true, entries: 3, intact: 3, problem: null } });
    const page = await alice.json<Receipts>('receipts', '--offset', '1', '--limit', '1');
    expect([page.total, page.receipts.map(({ seq }) => seq)]).toEqual([3, [2]]);
    expect((await alice.run('receipts', '--limit', '1')).stdout).toContain('1 to 1 of 3; the next: peerctl receipts --offset 1');
    expect((await alice.run('receipts', 'verify')).stdout).toContain('all 3 entries');
  });

  test('an entry that is removed, changed, reordered or cut off is named, and verify exits 1', async () => {
    await using world = await World.create();
    const [alice, bob] = await sent(world, 4);
    const whole = await readFile(logOf(alice));
    const at = boundaries(whole);
    expect(at).toHaveLength(5);
    const part = (from: number, to: number): Buffer => whole.subarray(at[from], at[to]);
    const header = whole.subarray(0, 17);
    const cases: [string, Buffer, { kind: string; seq: number }][] = [
      ['the second is removed', Buffer.concat([header, part(0, 1), part(2, 4)]), { kind: 'removed', seq: 2 }],
      ['the second and the third change places', Buffer.concat([header, part(0, 1), part(2, 3), part(1, 2), part(3, 4)]), { kind: 'reordered', seq: 2 }],
      ['a byte of the third is changed', Buffer.from(whole).fill(0xff, (at[2] ?? 0) + 60, (at[2] ?? 0) + 61), { kind: 'changed', seq: 3 }],
      ['the last is cut off', whole.subarray(0, at[3]), { kind: 'truncated', seq: 4 }],
      ['the last is cut in two', whole.subarray(0, (at[3] ?? 0) + 100), { kind: 'torn', seq: 4 }],
    ];
    for (const [what, bytes, problem] of cases) {
      await writeFile(logOf(alice), bytes);
      const found = await verdict(alice);
      expect([what, found.verdict.problem]).toMatchObject([what, problem]);
      expect([what, found.code, found.verdict.valid, found.verdict.entries]).toEqual([what, 1, false, 4]);
      expect(JSON.parse(found.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ error: { code: 'receipts_invalid' } });
    }
    const text = await alice.run('receipts', 'verify');
    expect([text.code, text.stderr]).toEqual([1, expect.stringContaining('entry 4')]);
    await writeFile(logOf(alice), whole);
    expect((await verdict(alice)).code).toBe(0);
    expect((await verdict(bob)).code).toBe(0);
  });

  test('history: what is over, in pages and with filters, at both ends', async () => {
    await using world = await World.create();
    const [alice, bob] = await sent(world, 2);
    expect((await alice.run('send', 'bob', 'file 0', '--conflict', 'fail')).code).toBe(1);
    const all = await alice.json<History>('history');
    expect(all.transfers.map(({ state, savedAs, receipt, error }) => [state, savedAs, receipt, error?.code])).toEqual([
      ['failed', [], 'none', 'conflict'], ['done', ['file 1'], 'verified', undefined], ['done', ['file 0'], 'verified', undefined],
    ]);
    expect(await alice.json<History>('history', '--peer', 'bob', '--state', 'failed')).toMatchObject({ total: 1, transfers: [{ id: all.transfers[0]?.id }] });
    expect((await bob.json<History>('history', '--limit', '1', '--offset', '1')).transfers.map(({ savedAs }) => savedAs)).toEqual([[join(bob.inboxDirectory, 'file 1')]]);
    const text = await alice.run('history', '--limit', '1', '--peer', 'bob');
    expect(text.stdout).toContain('1 to 1 of 3; the next: peerctl history --peer bob --offset 1');
    expect((await alice.run('history', '--peer', 'nobody')).code).toBe(4);
    expect((await alice.run('history', '--state', 'queued')).code).toBe(2);
  });

  test('why: a person who does not decide, while it waits; then what the content took, at both ends', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await writeRandomFile(join(alice.directory, 'big'), 48 * 1_024 * 1_024);
    const send = alice.command(['--json', 'send', 'bob', 'big']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    let waiting: Why;
    do waiting = await alice.json<Why>('why', String(id));
    while (waiting.bottleneck?.what !== 'person');
    expect(waiting).toMatchObject({ running: true, state: 'offered', content: null });
    expect((await bob.run('why', String(id))).stdout).toMatch(/Waiting for a decision here takes/);
    await bob.json('accept', String(id));
    expect((await send.result).code).toBe(0);
    const [ours, theirs] = await Promise.all([alice.json<Why>('why', String(id)), bob.json<Why>('why', String(id))]);
    for (const why of [ours, theirs]) {
      expect(why.running).toBe(false);
      for (const stage of ['hash', 'socket', 'write'] as const) expect([stage, why.stages[stage] > 0 && why.stages[stage] <= why.elapsed]).toEqual([stage, true]);
    }
    expect(ours.stages.read).toBeGreaterThan(0);
    const text = await alice.run('why', String(id).slice(0, 20));
    expect(text.code).toBe(0);
    expect(text.stdout.replaceAll(/\s+/g, ' ')).toContain(ours.sentence);
    const { metrics } = await bob.json<{ metrics: string }>('status');
    const exposed = await (await fetch(`http://${metrics}/metrics`)).text();
    expect(exposed).toMatch(/^peerd_transfer_stage_seconds_total\{direction="receive",stage="write"\} [0-9.e-]+$/m);
    expect((await alice.run('why', '01zzz')).code).toBe(1);
  });

  test('what a crash has left of an entry is mended, a tail that was cut away while peerd was down is not', async () => {
    await using world = await World.create();
    const [alice] = await sent(world, 2);
    const { size } = await stat(logOf(alice));
    await alice.end('SIGKILL');
    {
      await using file = await open(logOf(alice), 'a');
      await file.write(Buffer.concat([Buffer.from([0, 0, 1, 0]), randomBytes(99)]));
    }
    await alice.start();
    expect((await stat(logOf(alice))).size).toBe(size);
    expect((await verdict(alice)).verdict).toMatchObject({ valid: true, entries: 2 });
    expect((await alice.run('send', 'bob', 'file 0')).code).toBe(0);
    expect((await verdict(alice)).verdict).toMatchObject({ valid: true, entries: 3 });
    await alice.end();
    await truncate(logOf(alice), size);
    await alice.start();
    expect(await verdict(alice)).toMatchObject({ code: 1, verdict: { intact: 2, entries: 3, problem: { kind: 'truncated', seq: 3 } } });
    expect(alice.daemon?.log.join('\n')).toContain('WAS CHANGED from outside');
  });
});
