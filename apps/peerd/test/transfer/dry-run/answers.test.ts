import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Compare, type Compared, type Frame, FrameDecoder, linkMessages } from '@peerd/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Link } from '../../../src/peer/ports.ts';
import { Answers } from '../../../src/transfer/dry-run/answers.ts';
import { quietPacing } from '../../net/quiet-pacing.ts';
import { Posts } from '../../../src/transfer/posts.ts';

const question: Compare = { transfer: '01jd0000000000000000000000', entries: 1, bytes: 10, pages: 1, manifestBytes: 100, offerRoot: Buffer.alloc(32, 1), chunkSize: 1024 * 1024, conflict: 'rename' };

/** A peer that asks, and what it hears: an answer, or the request for its manifest. */
const asker = (peer: string): { link: Link; heard: (Compared | 'manifest-request')[] } => {
  const heard: (Compared | 'manifest-request')[] = [];
  const hear = (frame: Frame): void => {
    const message = linkMessages.read(frame);
    if (message?.kind === 'compared') heard.push(message.body);
    if (message?.kind === 'manifest-request') heard.push('manifest-request');
  };
  const send = async (bytes: Buffer): Promise<void> => [...new FrameDecoder(linkMessages.bounds).push(bytes)].forEach(hear);
  return { link: { peer, send } as unknown as Link, heard };
};

const setup = async (answerMs?: number): Promise<{ answers: Answers; directory: string }> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-answers-'));
  const answers = new Answers({ directory, downloadDir: directory, posts: new Posts(), pacing: quietPacing(), judge: () => ({ into: undefined }), ...(answerMs === undefined ? {} : { answerMs }) });
  onTestFinished(async () => {
    await answers.close();
    await rm(directory, { recursive: true });
  });
  return { answers, directory };
};

test('questions of four peers are under way at a time, and none with more names than an offer may have', async () => {
  const { answers, directory } = await setup();
  const ask = async (peer: string, more: Partial<Compare> = {}): Promise<unknown> => {
    const { link, heard } = asker(peer);
    await answers.message(link, { kind: 'compare', body: { ...question, ...more } });
    return heard[0];
  };
  const large = await ask('large', { manifestBytes: 64 * 1024 * 1024 + 1, pages: 300 });
  expect(large).toMatchObject({ reason: 'unable', message: expect.stringContaining('larger') });
  for (const peer of ['a', 'b', 'c', 'd']) expect(await ask(peer)).toBe('manifest-request');
  expect(await ask('e')).toMatchObject({ reason: 'unable', message: expect.stringContaining('others') });
  expect(await readdir(directory)).toHaveLength(4);
});

test('a question whose manifest does not come is forgotten, and nothing of it stays', async () => {
  const { answers, directory } = await setup(20);
  const { link, heard } = asker('a');
  await answers.message(link, { kind: 'compare', body: question });
  expect(heard).toEqual(['manifest-request']);
  await vi.waitFor(async () => expect(await readdir(directory)).toEqual([]), { timeout: 20_000 });
  expect(await answers.message(link, { kind: 'manifest-page', body: { transfer: question.transfer, index: 0, page: Buffer.alloc(1) } })).toBe(false);
});

test('the pages of a manifest come in order', async () => {
  const { answers, directory } = await setup();
  const { link, heard } = asker('a');
  await answers.message(link, { kind: 'compare', body: { ...question, pages: 2 } });
  await answers.message(link, { kind: 'manifest-page', body: { transfer: question.transfer, index: 1, page: Buffer.alloc(1) } });
  expect(heard).toEqual(['manifest-request', { transfer: question.transfer, reason: 'unable', message: 'manifest page 1 came instead of 0' }]);
  expect(await readdir(directory)).toEqual([]);
});
