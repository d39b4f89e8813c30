import { PeerdError } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldName } from '../../src/contacts/names.ts';
import type { Contact, ResolvedPeer } from '../../src/contacts/ports.ts';
import { resolvePeer, type Sighting, trustOf } from '../../src/contacts/resolve.ts';

const id = (start: string): string => start.padEnd(52, 'q');
const alice = { id: id('aaaa'), name: 'alice' };
const bob = { id: id('bbbb2222'), name: 'bob' };
const mallory = { id: id('mmmm3333'), name: 'bob' };
const carol = { id: id('cccc4444'), name: 'carol' };

const contact = ({ id, name }: Sighting): Contact => ({ id, name, trust: 'pinned', addresses: [], since: 0, lastSeen: null });
const around = (contacts: readonly Sighting[], present: readonly Sighting[], remembered: readonly Sighting[] = []) =>
  ({ self: alice, contacts: new Map(contacts.map((peer) => [peer.id, contact(peer)])), present, remembered });

const failure = (f: () => unknown): PeerdError => {
  try {
    f();
  } catch (error) {
    if (error instanceof PeerdError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('resolve', () => {
  test('by name, full id, grouped id, prefix and qualified name', () => {
    const room = around([], [bob, carol]);
    for (const target of ['bob', ' bob ', bob.id, bob.id.toUpperCase(), `${bob.id.slice(0, 4)}-${bob.id.slice(4)}`, 'bbbb', 'bbbb-2222', 'bob~bbbb', 'bob~bbbb2222'])
      expect(resolvePeer(target, room)).toEqual({ ...bob, trust: 'new', warnings: [] });
  });

  test('nobody: too short a prefix, a wrong qualifier, an unknown id, oneself', () => {
    const room = around([], [bob]);
    for (const target of ['bbb', 'carol', 'carol~bbbb', 'bob~cccc', id('zzzz')]) expect(failure(() => resolvePeer(target, room)).code).toBe('no_such_peer');
    for (const target of ['alice', alice.id]) expect(failure(() => resolvePeer(target, room)).message).toContain('itself');
  });

  test('a remembered peer can be named while it is away, and counts for nothing else', () => {
    for (const target of ['bob', bob.id, 'bbbb', 'bob~bbbb']) expect(resolvePeer(target, around([], [], [bob]))).toMatchObject({ id: bob.id, trust: 'new' });
    const other = { id: id('dddd'), name: 'bob' };
    // Neither does it stand in for a stranger of its name, nor is it a reason to distrust a contact that is away.
    expect(failure(() => resolvePeer('bob', around([], [other], [bob]))).code).toBe('ambiguous_peer');
    expect(resolvePeer('bob', around([bob], [], [other]))).toMatchObject({ id: bob.id, trust: 'pinned', warnings: [] });
  });

  test('names are the same after NFC and confusable folding; case counts', () => {
    const zoe = { id: id('zzzz'), name: 'Zo\u0065\u0308' };
    expect(resolvePeer('Zo\u00eb', around([], [zoe])).id).toBe(zoe.id);
    expect(resolvePeer('bob', around([], [{ ...bob, name: 'bоb' /* Cyrillic о */ }])).id).toBe(bob.id);
    expect(resolvePeer('bob', around([], [{ ...bob, name: 'b\u200bob' }])).id).toBe(bob.id);
    expect(failure(() => resolvePeer('Bob', around([], [bob]))).code).toBe('no_such_peer');
  });

  test('two strangers of one name are ambiguous, and the error lists both exactly', () => {
    const error = failure(() => resolvePeer('bob', around([], [bob, mallory])));
    expect(error).toMatchObject({ code: 'ambiguous_peer', exitCode: 4 });
    expect(error.message).toContain('bob~bbbb2222, bob~mmmm3333');
    expect(resolvePeer('bob~mmmm', around([], [bob, mallory])).id).toBe(mallory.id);
  });

  test('two contacts of one name are ambiguous, whoever is there', () => {
    for (const present of [[], [bob], [bob, mallory]]) {
      const error = failure(() => resolvePeer('bob', around([bob, mallory], present)));
      expect(error).toMatchObject({ code: 'ambiguous_peer', exitCode: 4 });
      expect(error.message).toContain('bob~bbbb2222, bob~mmmm3333');
    }
  });

  test('a contact that is there is used, with a warning about the other one', () => {
    const resolved = resolvePeer('bob', around([bob], [bob, mallory]));
    expect(resolved).toMatchObject({ id: bob.id, trust: 'pinned' });
    expect(resolved.warnings.join()).toContain('mmmm3333');
  });

  test('a contact that is away while another bears its name is refused loudly', () => {
    const error = failure(() => resolvePeer('bob', around([bob], [mallory])));
    expect(error).toMatchObject({ code: 'trust_changed', exitCode: 8, details: { contact: bob.id, others: [mallory.id] } });
    expect(error.hint).toContain(`peerctl trust ${mallory.id}`);
    // By its id the other one can be reached, with a warning.
    expect(resolvePeer(mallory.id, around([bob], [mallory]))).toMatchObject({ trust: 'changed', warnings: [expect.stringContaining('another key')] });
  });

  test('a contact that is away is meant while nobody bears its name', () => {
    expect(resolvePeer('bob', around([bob], [carol]))).toEqual({ ...bob, trust: 'pinned', warnings: [] });
  });

  test('a label is ours: what a contact calls itself now names it too', () => {
    const renamed = { ...bob, name: 'robert' };
    expect(resolvePeer('robert', around([bob], [renamed]))).toMatchObject({ id: bob.id, name: 'bob', trust: 'pinned' });
    expect(resolvePeer('bob', around([bob], [renamed]))).toMatchObject({ id: bob.id });
  });

  test('what a stranger calls itself never redirects an id or a qualified name', () => {
    const asId = { id: id('eeee'), name: bob.id };
    expect(resolvePeer(bob.id, around([], [asId, bob])).id).toBe(bob.id);
    expect(failure(() => resolvePeer('bbbb', around([], [{ ...asId, name: 'bbbb' }, bob]))).code).toBe('ambiguous_peer');
    expect(failure(() => resolvePeer('bob~bbbb', around([], [{ ...asId, name: 'bob~bbbb' }, bob]))).code).toBe('ambiguous_peer');
  });

  test('trust of a peer under a name', () => {
    const contacts = around([bob], []).contacts;
    expect([trustOf(bob.id, 'x', contacts), trustOf(mallory.id, 'bоb', contacts), trustOf(carol.id, 'carol', contacts)]).toEqual(['pinned', 'changed', 'new']);
  });

  test('names in errors are escaped', () => {
    expect(failure(() => resolvePeer('\u001b[31mred', around([], []))).message).toContain('\\x1b[31mred');
  });
});

describe('resolve, for any peers', () => {
  // A small world, so that collisions of names, prefixes and both happen all the time.
  const letter = fc.constantFrom('b', 'o', 'о', 'c');
  const anyName = fc.string({ unit: letter, minLength: 1, maxLength: 4 });
  const anyId = fc.string({ unit: fc.constantFrom('b', 'o', 'c'), minLength: 4, maxLength: 5 }).map(id);
  const anyPeer = fc.record({ id: anyId, name: fc.oneof(anyName, anyId, anyId.map((text) => text.slice(0, 4))) });
  const peers = fc.uniqueArray(anyPeer, { maxLength: 5, selector: (peer) => peer.id });
  const anyTarget = fc.oneof(anyName, anyId, anyId.map((text) => text.slice(0, 5)), fc.tuple(anyName, anyId).map(([name, id]) => `${name}~${id.slice(0, 4)}`));
  const outcome = (target: string, contacts: readonly Sighting[], present: readonly Sighting[]): ResolvedPeer | PeerdError => {
    try {
      return resolvePeer(target, around(contacts, present));
    } catch (error) {
      if (error instanceof PeerdError) return error;
      throw error;
    }
  };

  test('the answer is a known peer or one of three errors', () => {
    fc.assert(
      fc.property(anyTarget, peers, peers, (target, contacts, present) => {
        const result = outcome(target, contacts, present);
        if (result instanceof PeerdError) return ['no_such_peer', 'ambiguous_peer', 'trust_changed'].includes(result.code);
        return [...contacts, ...present].some((peer) => peer.id === result.id);
      }),
    );
  });

  test('a newcomer never redirects what was meant: the answer stays or becomes an error', () => {
    fc.assert(
      fc.property(anyTarget, peers, peers, anyPeer, (target, contacts, present, newcomer) => {
        const before = outcome(target, contacts, present);
        if (before instanceof PeerdError) return true;
        const after = outcome(target, contacts, [...present, newcomer]);
        return after instanceof PeerdError || after.id === before.id;
      }),
      { numRuns: 2_000 },
    );
  });

  test("a contact's name never means somebody else", () => {
    fc.assert(
      fc.property(peers, peers, (contacts, present) => {
        for (const contact of contacts) {
          const result = outcome(contact.name, contacts, present);
          // A name that is a full id means that id, whoever bears it.
          if (result instanceof PeerdError || contact.name.length === 52) continue;
          const bearer = contacts.find((other) => other.id === result.id);
          if (!bearer || foldName(bearer.name) !== foldName(contact.name)) return false;
        }
        return true;
      }),
      { numRuns: 2_000 },
    );
  });
});
