import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain, type WhyInput } from '../../src/transfer/why.ts';

const stages = { read: 0, hash: 0, socket: 0, write: 0, limit: 0, compress: 0, paused: 0, waiting: 0 };
const input = (more: Partial<WhyInput>): WhyInput => ({
  direction: 'send', peer: 'bob', createdAt: 0, offeredAt: 100, decidedAt: 200, finishedAt: 10_200, now: 99_999, stages, bytesDone: 1_000, linked: false, idleDays: 0, ...more,
});

describe('the bottleneck', () => {
  test.each<[string, Partial<WhyInput>, { what: string | undefined; content: string | undefined }, RegExp]>([
    ['a disk that reads slowly', { stages: { ...stages, read: 9_800, hash: 900, socket: 500, write: 700 } }, { what: 'read', content: 'read' }, /^Reading the files here took most of the time: 9\.8 s of 10\.2 s\.$/],
    ['a processor that hashes slowly', { stages: { ...stages, read: 1_000, hash: 9_500 } }, { what: 'hash', content: 'hash' }, /^Computing checksums here/],
    ['a slow network', { stages: { ...stages, read: 900, socket: 9_700, write: 2_000 } }, { what: 'socket', content: 'socket' }, /^The network to bob took/],
    ['a slow network and a disk there that is busy two thirds of the time', { stages: { ...stages, socket: 9_700, write: 6_600 } }, { what: 'socket', content: 'socket' }, /^The network to bob/],
    ['a disk there that is always behind, so that the socket is full', { stages: { ...stages, socket: 9_900, write: 9_600 } }, { what: 'write', content: 'write' }, /^Writing to the disk at bob/],
    ['a receiver that waits for data', { direction: 'receive', stages: { ...stages, socket: 9_700, write: 8_500 } }, { what: 'socket', content: 'socket' }, /^Waiting for data from bob/],
    ['a receiver whose disk is slow', { direction: 'receive', stages: { ...stages, socket: 900, write: 9_900 } }, { what: 'write', content: 'write' }, /^Writing to the disk here/],
    ['a link that was away', { stages: { ...stages, socket: 1_000, write: 900 } }, { what: 'idle', content: 'idle' }, /^Waiting for the link to bob, or for other transfers, took most of the time: 9 s of 10\.2 s\.$/],
    ['a sender that is away', { direction: 'receive', finishedAt: undefined, now: 10_200 }, { what: 'idle', content: 'idle' }, /^Waiting for the link to bob, or for other transfers, takes most of the time: 10 s of 10\.2 s\.$/],
    ['a sender that is linked and sends nothing', { direction: 'receive', finishedAt: undefined, now: 10_200, linked: true }, { what: 'idle', content: 'idle' }, /^Waiting for bob, which is linked now, to send takes most of the time: 10 s of 10\.2 s\.$/],
    ['a sender that sent nothing for long', { direction: 'receive', finishedAt: undefined, now: 10_200, linked: true, idleDays: 3 }, { what: 'idle', content: 'idle' }, /s\. Nothing came from bob on 3 days, although it is linked now; after 30 it is given up\.$/],
    ['a person, then a slow disk', { decidedAt: 300_100, finishedAt: 311_100, stages: { ...stages, socket: 10_500, write: 10_400, waiting: 300_000 } }, { what: 'person', content: 'write' }, /^Waiting for a decision at bob took most of the time: 5 min 0 s of 5 min 11 s; the content itself took 11 s, mostly writing to the disk at bob\.$/],
    ['a peer that was away', { offeredAt: 7_200_000, decidedAt: 7_200_010, finishedAt: 7_201_000, stages: { ...stages, socket: 900 } }, { what: 'reaching', content: 'socket' }, /^Reaching bob with the offer took most of the time: 2 h 0 min of 2 h 0 min; the content itself took 990 ms/],
    ['nobody who was reached yet', { offeredAt: undefined, decidedAt: undefined, finishedAt: undefined, now: 3_000 }, { what: 'reaching', content: undefined }, /^Reaching bob with the offer takes most of the time: 3 s of 3 s\.$/],
    ['a person who has not decided yet', { direction: 'receive', decidedAt: undefined, finishedAt: undefined, now: 61_000 }, { what: 'person', content: undefined }, /^Waiting for a decision here takes most of the time: 1 min 0 s of 1 min 1 s\.$/],
    ['content that moves now', { finishedAt: undefined, now: 5_200, stages: { ...stages, read: 4_900 } }, { what: 'read', content: 'read' }, /^Reading the files here takes most of the time: 4\.9 s of 5\.2 s\.$/],
    ['nothing', { offeredAt: 10, decidedAt: 20, finishedAt: 85 }, { what: undefined, content: undefined }, /^It was over in 85 ms: nothing held it up\.$/],
    ['nothing yet', { offeredAt: undefined, decidedAt: undefined, finishedAt: undefined, now: 5 }, { what: undefined, content: undefined }, /^It has only just begun\.$/],
  ])('%s', (_what, more, { what, content }, sentence) => {
    const explained = explain(input(more));
    expect([explained.bottleneck?.what, explained.content?.what]).toEqual([what, content]);
    expect(explained.sentence).toMatch(sentence);
  });

  test('a name with a $ in it is shown as it is', () => {
    expect(explain(input({ peer: "$' $& $1", stages: { ...stages, socket: 9_900 } })).sentence).toContain("to $' $& $1 took");
  });

  test('whatever the figures are: phases fill the time, shares are shares, one sentence', () => {
    const time = fc.nat(1_000_000);
    const maybe = fc.option(time, { nil: undefined });
    fc.assert(
      fc.property(
        fc.record({
          direction: fc.constantFrom('send' as const, 'receive' as const), offeredAt: maybe, decidedAt: maybe, finishedAt: maybe, now: time, createdAt: time, bytesDone: time, linked: fc.boolean(), idleDays: fc.nat(30),
          stages: fc.record({ read: time, hash: time, socket: time, write: time, limit: time, compress: time, paused: time, waiting: time }),
        }),
        (figures) => {
          const { phases, elapsed, bottleneck, content, sentence, bytesPerSecond } = explain({ ...figures, peer: 'bob' });
          for (const ms of [elapsed, ...Object.values(phases), bytesPerSecond]) expect(ms).toBeGreaterThanOrEqual(0);
          for (const named of [bottleneck, content]) if (named) expect(named.share >= 0 && named.share <= 1).toBe(true);
          expect(sentence).toMatch(/^[A-Z].*\.$/);
          expect(sentence).not.toContain('PEER');
        },
      ),
    );
  });
});
