import { getEventListeners } from 'node:events';
import { PeerdError } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { orAborted, Scope } from '../../src/net/scope.ts';

const late = () => new PeerdError('peer_unreachable', 'late');

test('aborts with a parent, and leaves no listener behind', () => {
  const parents = [new AbortController(), new AbortController()] as const;
  const signals = parents.map(({ signal }) => signal);
  {
    using scope = new Scope(signals, { ms: 1e6, reason: late });
    parents[1].abort('why');
    parents[0].abort('later');
    expect(scope.signal.reason).toBe('why');
  }
  expect(signals.map((signal) => getEventListeners(signal, 'abort').length)).toEqual([0, 0]);
});

test('aborts at its deadline, or at once with a parent that is aborted', async () => {
  using scope = new Scope([], { ms: 1, reason: late });
  await expect(orAborted(new Promise(() => {}), scope.signal)).rejects.toMatchObject({ code: 'peer_unreachable' });
  using dead = new Scope([AbortSignal.abort('gone')]);
  expect(dead.signal.reason).toBe('gone');
});

test('a disposed scope does not abort any more', () => {
  const parent = new AbortController();
  const scope = new Scope([parent.signal], { ms: 1, reason: late });
  scope[Symbol.dispose]();
  parent.abort();
  expect(scope.signal.aborted).toBe(false);
});

test('many may wait for one signal without a warning', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning);
  process.on('warning', onWarning);
  const parent = new AbortController();
  const scopes = Array.from({ length: 50 }, () => new Scope([parent.signal]));
  for (const scope of scopes) scope[Symbol.dispose]();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
