import { getEventListeners } from 'node:events';
import { type ControlEvent, encodeMessage, PeerdError, type PeerId, verifyCommit } from '@peerd/protocol';
import { createLogger } from '@peerd/service';
import { describe, expect, test } from 'vitest';
import type { Link } from '../../src/peer/ports.ts';
import { Verifications } from '../../src/verification/verifications.ts';
import { quietPacing } from '../net/quiet-pacing.ts';
import { linkPair, type Party } from '../chat/linked-pair.ts';

interface Person extends Party {
  readonly user: Verifications;
  readonly events: string[];
  readonly verified: PeerId[];
  /** Runs `verify` with the peer; what the person does with the code is up to `onCode`. */
  verify(peer: Person, onCode?: (code: string) => void, signal?: AbortSignal): Promise<string>;
}

const never = new AbortController().signal;

const person = (name: string, store: () => Promise<void> = async () => {}): Person => {
  const id = (name[0] ?? '').repeat(52);
  const events: string[] = [];
  const verified: PeerId[] = [];
  const user = new Verifications({
    self: id,
    contacts: {
      get: () => undefined,
      trustOf: () => 'new',
      verified: async (peer) => {
        await store();
        verified.push(peer);
      },
    },
    events: { publish: (event: ControlEvent) => void (event.kind === 'verification' && events.push(`${event.peer.name} ${event.state}`)) },
    logger: createLogger('test', 'silent'),
    pacing: quietPacing(),
    now: () => 5,
  });
  return { id, name, user, events, verified, verify: (peer, onCode = () => {}, signal = never) => user.verify(peer.id, { signal, onCode }) };
};

const yes = (self: Person, peer: Person) => (): void => self.user.answer(peer.id, true);

describe('two persons', () => {
  test('the asked one sees it; both say yes: stored before it is told', async () => {
    const [alice, bob] = [person('alice'), person('bob\u202e')];
    linkPair(alice, bob);
    const codes: string[] = [];
    const note = (then: () => void) => (code: string): void => {
      codes.push(code);
      then();
    };
    const { signal } = new AbortController();
    const first = alice.verify(bob, note(yes(alice, bob)), signal);
    await expect.poll(() => bob.user.asking()).toEqual([{ from: { id: alice.id, name: 'alice' }, trust: 'new', receivedAt: 5 }]);
    expect(() => bob.user.answer(alice.id, true)).toThrow(/no code/);
    await expect(alice.verify(bob)).rejects.toMatchObject({ code: 'wrong_state' });
    expect(await Promise.all([first, bob.verify(alice, note(yes(bob, alice)))])).toEqual(['verified', 'verified']);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(codes[0]).toBe(codes[1]);
    expect([alice.verified, bob.verified]).toEqual([[bob.id], [alice.id]]);
    expect([alice.events, bob.events]).toEqual([['bob\\u{202e} verified'], ['alice asked', 'alice verified']]);
    expect(bob.user.asking()).toEqual([]);
  });

  test('what could not be stored is not told as verified', async () => {
    const [alice, bob] = [person('alice', () => Promise.reject(new PeerdError('io_error', 'the disk is full'))), person('bob')];
    linkPair(alice, bob);
    const [one, other] = await Promise.allSettled([alice.verify(bob, yes(alice, bob)), bob.verify(alice, yes(bob, alice))]);
    expect([one, other]).toMatchObject([{ status: 'rejected', reason: { code: 'io_error' } }, { status: 'fulfilled', value: 'verified' }]);
    expect(alice.events).toEqual([]);
    // And it can be begun anew.
    alice.user.assertFree(bob.id);
  });

  test.each([
    [new PeerdError('verify_timeout', 'too late'), 'timeout'],
    [new PeerdError('cancelled', 'the client went away'), 'cancelled'],
  ])('%s ends both, and leaves no listener', async (reason, end) => {
    const [alice, bob] = [person('alice'), person('bob')];
    linkPair(alice, bob);
    const giveUp = new AbortController();
    const code = Promise.withResolvers<string>();
    const one = alice.verify(bob, code.resolve, giveUp.signal);
    const other = bob.verify(alice);
    await code.promise;
    giveUp.abort(reason);
    expect(await Promise.all([one, other])).toEqual([end, 'cancelled']);
    expect(getEventListeners(giveUp.signal, 'abort')).toEqual([]);
    expect([alice.verified, bob.verified]).toEqual([[], []]);
  });

  test('a signal that was aborted before: nobody is asked', async () => {
    const [alice, bob] = [person('alice'), person('bob')];
    linkPair(alice, bob);
    expect(await alice.verify(bob, () => {}, AbortSignal.abort(new PeerdError('cancelled', 'gone')))).toBe('cancelled');
    await expect.poll(() => bob.events).toEqual(['alice asked', 'alice withdrawn']);
  });

  test('a link that ends, and one that is not there', async () => {
    const [alice, bob, carol] = [person('alice'), person('bob'), person('carol')];
    const [pair, third] = [linkPair(alice, bob), linkPair(carol, bob)];
    const one = alice.verify(bob);
    await expect.poll(() => bob.user.asking()).toHaveLength(1);
    void carol.verify(bob);
    await expect.poll(() => bob.user.asking()).toHaveLength(2);
    pair.cut();
    expect(await one).toBe('lost');
    expect(bob.user.asking().map(({ from }) => from.name)).toEqual(['carol']);
    await expect(alice.verify(bob)).rejects.toMatchObject({ code: 'link_lost' });
    third.cut();
  });
});

test('a flood is read no faster than its rate', async () => {
  const bob = person('bob');
  const ended = new AbortController();
  const link: Link = {
    peer: 'm'.repeat(52), name: 'mallory', publicKey: Buffer.alloc(44), exportKeyingMaterial: () => Buffer.alloc(32), dialled: false, remote: { host: '127.0.0.1', port: 1 }, since: 0,
    signal: ended.signal, send: async () => {}, openData: () => Promise.reject(new PeerdError('link_lost', 'no data here')),
  };
  bob.user.linkUp(link);
  const body = { commitment: new Uint8Array(32) };
  expect(encodeMessage(verifyCommit, body).length).toBeLessThan(128);
  for (let count = 0; count < 32; count += 1) await bob.user.message(link, { kind: 'verify-commit', body });
  const held = bob.user.message(link, { kind: 'verify-commit', body });
  ended.abort(new PeerdError('link_lost', 'over'));
  // Had it been read at once, nothing would be left to abort.
  await expect(held).rejects.toThrow();
  expect(bob.events).toHaveLength(32);
});
