import { newSender, restoredSender, type SenderEffect, type SenderEvent, type SenderState, senderStep } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { Runner } from '../../src/transfer/runner.ts';

const end = { code: 'cancelled', message: 'no' };

const make = (commit: (next: SenderState, waits: boolean, insisting: AbortSignal | undefined) => Promise<void>, state = newSender) => {
  const effects: string[] = [];
  let taken = 0;
  const runner = new Runner<SenderState, SenderEvent, SenderEffect>({
    state, step: senderStep, restored: restoredSender, commit, perform: (effect) => effects.push(effect.do), taken: () => (taken += 1),
  });
  return { runner, effects, taken: () => taken };
};

describe('runner', () => {
  test('effects come after the state was stored, one event after the other', async () => {
    const log: string[] = [];
    const stored = Promise.withResolvers<void>();
    const { runner, effects, taken } = make(async (next) => {
      log.push(next.state);
      await stored.promise;
    });
    const linked = runner.dispatch({ type: 'linked' });
    const cancelled = runner.dispatch({ type: 'local-cancel', end });
    await new Promise(setImmediate);
    expect([log, effects, runner.state.state]).toEqual([['connecting'], [], 'queued']);
    stored.resolve();
    await Promise.all([linked, cancelled]);
    expect([log, effects, taken()]).toEqual([['connecting', 'cancelled'], ['say-offer', 'say-end'], 2]);
  });

  test('a step that cannot be stored has not happened, and the next one goes on from there', async () => {
    let broken = true;
    const { runner, effects } = make(async () => {
      if (broken) throw new Error('disk full');
    });
    await expect(runner.dispatch({ type: 'linked' })).rejects.toThrow('disk full');
    expect([runner.state.state, effects]).toEqual(['queued', []]);
    broken = false;
    await runner.dispatch({ type: 'linked' });
    expect([runner.state.state, effects]).toEqual(['connecting', ['say-offer']]);
  });

  test('a step that insists says so to what stores it, with its signal', async () => {
    const seen: (AbortSignal | undefined)[] = [];
    const { runner } = make(async (_next, _waits, insisting) => void seen.push(insisting));
    const { signal } = new AbortController();
    await runner.dispatch({ type: 'linked' });
    await runner.dispatch({ type: 'local-failed', end }, { insisting: signal });
    expect(seen).toEqual([undefined, signal]);
  });

  test('only what a restart would tell apart, or what comes with more than a state, is waited for', async () => {
    const log: [string, boolean][] = [];
    const { runner } = make(async (next, waits) => void log.push([next.state, waits]), { ...newSender, linked: true, state: 'connecting' });
    await runner.dispatch({ type: 'offered' });
    await runner.dispatch({ type: 'accept', matches: true });
    await runner.dispatch({ type: 'have', page: { transfer: 't', start: 0, hashes: new Uint8Array(), last: true } });
    await runner.dispatch({ type: 'content-started' });
    await runner.dispatch({ type: 'content-sent' }, { changing: () => {} });
    await runner.dispatch({ type: 'receipt', valid: true, failed: 0 });
    expect(log).toEqual([['offered', false], ['accepted', false], ['transferring', false], ['verifying', true], ['done', true]]);
  });

  test('an event of a task that was given up is dropped; changes are made only with the phase', async () => {
    const changes: string[] = [];
    const { runner } = make(async () => {});
    await runner.dispatch({ type: 'linked' }, { when: () => false, changing: () => changes.push('dropped') });
    await runner.dispatch({ type: 'retry' }, { changing: () => changes.push('no cell') });
    await runner.dispatch({ type: 'linked' }, { changing: () => changes.push('linked') });
    expect(changes).toEqual(['linked']);
  });
});
