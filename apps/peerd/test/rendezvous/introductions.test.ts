import { introductionTimeoutMs } from '@peerd/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { OpenIntroductions } from '../../src/rendezvous/introductions.ts';

const never = new AbortController().signal;
const peer = 'b'.repeat(52);

describe('introductions that were asked for', () => {
  test('a rendezvous that does not answer is waited for as long as it may take, and no longer', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const asked = new OpenIntroductions().ask(peer, () => {}, never, never);
    const ended = vi.fn<(error: unknown) => void>();
    asked.catch(ended);
    await vi.advanceTimersByTimeAsync(introductionTimeoutMs);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: 'introduction_timeout' }));
  });

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
