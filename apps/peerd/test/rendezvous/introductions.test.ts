import { describe, expect, test } from 'vitest';
import { OpenIntroductions } from '../../src/rendezvous/introductions.ts';

const never = new AbortController().signal;
const peer = 'b'.repeat(52);

describe('introductions that were asked for', () => {
  test('no more than 64 wait for an answer of one rendezvous', async () => {
    const introductions = new OpenIntroductions();
    const end = new AbortController();
    const ask = () => introductions.ask(peer, () => {}, end.signal, never);
    const open = Array.from({ length: 64 }, ask);
    await expect(ask()).rejects.toMatchObject({ code: 'rate_limited' });
    introductions.settle({ request: 1, verdict: 'refused' });
    await expect(open.shift()).rejects.toMatchObject({ code: 'introduction_refused' });
    const next = ask();
    end.abort(new Error('the connection has ended'));
    for (const waiting of [...open, next]) await expect(waiting).rejects.toThrow('the connection has ended');
  });
});
