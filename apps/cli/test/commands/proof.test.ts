import {
  type HistoryEntry, historyResponseSchema, receiptsResponseSchema, type ReceiptView, type VerifyReceiptsResponse, verifyReceiptsResponseSchema, type WhyResponse, whyResponseSchema,
} from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { TestDaemon } from '../support/daemon.ts';
import { bob, firstId, secondId, transfer } from '../support/fixtures.ts';
import { documents, peerctl } from '../support/peerctl.ts';

const receipt = (seq: number, more: Partial<ReceiptView> = {}): ReceiptView => ({
  seq, role: 'sent', transfer: firstId, peer: bob, hash: 'ab'.repeat(32),
  receipt: { receivedAt: 1_763_800_000_000, durability: 'transfer', delivered: 2, failed: 0, offerRoot: 'cd'.repeat(32), contentRoot: 'ef'.repeat(32), signature: '01'.repeat(64) },
  ...more,
});

describe('receipts', () => {
  test('a page as text and as JSON; an entry that is not in its place is told', async () => {
    await using daemon = await TestDaemon.start();
    const page = { receipts: [receipt(9), receipt(8, { role: 'received', transfer: secondId, receipt: null })], total: 9, offset: 0 };
    daemon.on('GET /v1/receipts', receiptsResponseSchema, page);
    const { code, stdout } = await peerctl(['receipts', '--limit', '2'], { socket: daemon.socket });
    expect(code).toBe(0);
    expect(daemon.asked[0]?.query.toString()).toBe('limit=2');
    expect(stdout).toMatch(new RegExp(`^ +9 +to +bob +${firstId} +2025-11-22 08:26 +2 +yes +efefefefefefefef$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^ +8 +from +bob +${secondId} +NOT IN ITS PLACE`, 'm'));
    expect(stdout).toContain('1 to 2 of 9; the next: peerctl receipts --offset 2');
    expect(documents((await peerctl(['receipts', '--json'], { socket: daemon.socket })).stdout)).toEqual([page]);
  });

  test.each<[string, VerifyReceiptsResponse, number, RegExp]>([
    ['valid', { valid: true, path: '/s/receipts.log', entries: 9, intact: 9, problem: null }, 0, /^valid: all 9 entries of \/s\/receipts\.log$/m],
    ['empty', { valid: true, path: '/s/receipts.log', entries: 0, intact: 0, problem: null }, 0, /^no receipts yet$/m],
    ['not', { valid: false, path: '/s/receipts.log', entries: 9, intact: 3, problem: { kind: 'removed', seq: 4, offset: 5, message: 'entry 4 was removed' } }, 1, /^error: .*entry 4 was removed\nhint: The 3 entries before it can be trusted/m],
  ])('verify: %s', async (_what, answer, exit, text) => {
    await using daemon = await TestDaemon.start();
    daemon.on('GET /v1/receipts/verify', verifyReceiptsResponseSchema, answer);
    const { code, stdout, stderr } = await peerctl(['receipts', 'verify'], { socket: daemon.socket });
    expect([code, stdout + stderr]).toEqual([exit, expect.stringMatching(text)]);
    const json = await peerctl(['receipts', 'verify', '--json'], { socket: daemon.socket });
    expect([json.code, documents(json.stdout)]).toEqual([exit, [answer]]);
    if (exit !== 0) expect(documents(json.stderr)).toMatchObject([{ error: { code: 'receipts_invalid', details: { kind: 'removed', seq: 4 } } }]);
  });
});

test('history: filters go to the daemon, the next page keeps them', async () => {
  await using daemon = await TestDaemon.start();
  const ended = (more: Partial<HistoryEntry>): HistoryEntry => ({ ...transfer({ state: 'done' }), finishedAt: 1_763_800_000_000, savedAs: ['/d/a', '/d/b'], receipt: 'verified', ...more });
  const page = { transfers: [ended({}), ended({ id: secondId, direction: 'receive', state: 'failed', savedAs: [], receipt: 'none', error: { code: 'no_space', message: 'the disk is full' } })], total: 7, offset: 2 };
  daemon.on('GET /v1/history', historyResponseSchema, page);
  const { stdout } = await peerctl(['history', '--peer', 'bob', '--state', 'done', '--offset', '2', '--limit', '2'], { socket: daemon.socket });
  expect(Object.fromEntries(daemon.asked[0]?.query ?? [])).toEqual({ peer: 'bob', state: 'done', offset: '2', limit: '2' });
  expect(stdout).toMatch(new RegExp(`^(2025-11-22 08:26|.* ago) +${firstId} +to +bob +done +3\\.8 MiB +verified +/d/a and 1 more$`, 'm'));
  expect(stdout).toMatch(new RegExp(`${secondId} +from +bob +failed +3\\.8 MiB +- +the disk is full$`, 'm'));
  expect(stdout).toContain('3 to 4 of 7; the next: peerctl history --peer bob --state done --offset 4');
  expect(documents((await peerctl(['history', '--json'], { socket: daemon.socket })).stdout)).toEqual([page]);
});

test('why: the sentence first, then where the time went', async () => {
  await using daemon = await TestDaemon.start();
  const why: WhyResponse = {
    id: firstId, direction: 'send', peer: bob, state: 'transferring', running: true, elapsed: 100_000, phases: { reaching: 500, person: 0, content: 99_500 },
    stages: { read: 2_000, hash: 450, socket: 95_000, write: 9_950, limit: 0, compress: 0, paused: 0, waiting: 0 }, bytes: 4_000_000, bytesDone: 1_000_000, bytesPerSecond: 10_050,
    bottleneck: { what: 'socket', ms: 95_000, share: 0.95 }, content: { what: 'socket', ms: 95_000, share: 0.955 }, sentence: 'The network to bob takes most of the time: 1 min 35 s of 1 min 40 s.',
  };
  daemon.on(`GET /v1/transfers/${firstId}/why`, whyResponseSchema, why);
  const { stdout } = await peerctl(['why', firstId], { socket: daemon.socket });
  for (const line of [/^why +The network to bob takes most/, /^state +transferring, for 1m 40s$/m, /^content +977 KiB of 3\.8 MiB \(25%\), 9\.8 KiB\/s$/m, /^until the offer was there +500ms +1%$/m, /^ {2}socket +1m 35s +95%$/m, /^ {2}hash +450ms +0%$/m, /^ {2}write \(receiver\) +9s +10%$/m])
    expect(stdout).toMatch(line);
  expect(documents((await peerctl(['why', firstId, '--json'], { socket: daemon.socket })).stdout)).toEqual([why]);
});
