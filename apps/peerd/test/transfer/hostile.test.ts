import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeCbor, type LinkMessage, type ManifestEntry, type Offer, PeerdError, type TransferMessage } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Link } from '../../src/peer/ports.ts';
import { chunkSize, createWorld, type World } from './linked-services.ts';

/** A link at bob, over which the test speaks as alice. */
const speakTo = (world: World): { link: Link; heard: number[] } => {
  const heard: number[] = [];
  return {
    heard,
    link: {
      peer: world.alice.id, name: 'alice', publicKey: world.alice.identity.publicKey, exportKeyingMaterial: () => Buffer.alloc(32), dialled: false, remote: { host: '127.0.0.1', port: 1 }, since: 0,
      signal: new AbortController().signal,
      send: async (frame) => void heard.push(frame.readUInt8(4)),
      openData: () => Promise.reject(new PeerdError('link_lost', 'no data here')),
    },
  };
};

const id = (digit: string): string => `01jd00000000000000000000${digit.padStart(2, '0')}`;
const offerOf = (transfer: string, more: Partial<Offer> = {}): Offer => ({
  transfer, entries: 1, bytes: 10, pages: 1, manifestBytes: 100, offerRoot: Buffer.alloc(32, 1), chunkSize, conflict: 'rename', ...more,
});
const page = (...entries: Partial<ManifestEntry>[]): Buffer =>
  encodeCbor(entries.map((entry) => ({ path: [Buffer.from('x')], type: 'file', size: 10, mode: 0o644, mtime: [0, 0], ...entry })));

const types = { manifestRequest: 0x41, reject: 0x45, cancel: 0x4c, failed: 0x4d };

describe('a hostile peer', () => {
  test('a manifest that breaks a rule, or is not the announced one, ends the offer and leaves nothing', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { link, heard } = speakTo(world);
    world.bob.service.linkUp(link);
    const bad = [page({ path: [Buffer.from('..')] }), page({ path: [Buffer.from('a'), Buffer.from('/etc')] }), page({ path: [Buffer.from('l')], type: 'symlink', size: 0, target: Buffer.from('/etc') }), page({}), randomBytes(100)];
    for (const [index, bytes] of bad.entries()) {
      const transfer = id(String(index));
      heard.length = 0;
      await world.bob.service.message(link, { kind: 'offer', body: offerOf(transfer) });
      await expect.poll(() => heard).toEqual([types.manifestRequest]);
      await world.bob.service.message(link, { kind: 'manifest-page', body: { transfer, index: 0, page: bytes } });
      await world.bob.reaches(transfer, 'failed');
      expect(heard).toEqual([types.manifestRequest, types.failed]);
      expect(['manifest_invalid', 'malformed_frame', 'manifest_too_large']).toContain((await world.bob.service.show(transfer, {})).error?.code);
    }
    expect(await world.bob.service.inbox()).toEqual([]);
  });

  test('an offer whose manifest never comes stands in no inbox, and cannot be accepted', async () => {
    const world = await createWorld();
    const { link } = speakTo(world);
    await world.bob.service.message(link, { kind: 'offer', body: offerOf(id('1')) });
    expect(await world.bob.service.inbox()).toEqual([]);
    await expect(world.bob.service.accept(id('1'), {})).rejects.toMatchObject({ code: 'wrong_state', hint: expect.stringContaining('manifest is not complete') });
    expect(world.bob.contacts.get(world.alice.id)).toBeUndefined();
  });

  test('an offer that is too large is refused before anything is stored', async () => {
    const world = await createWorld();
    const { link, heard } = speakTo(world);
    await world.bob.service.message(link, { kind: 'offer', body: offerOf(id('1'), { manifestBytes: 65 * 1024 * 1024, pages: 300 }) });
    expect(heard).toEqual([types.reject]);
    expect(await world.bob.service.list()).toEqual([]);
  });

  test('a conflict policy that is not known here is declined, and the link stays', async () => {
    const world = await createWorld();
    const { link, heard } = speakTo(world);
    await world.bob.service.message(link, { kind: 'offer', body: offerOf(id('1'), { conflict: 'merge' }) });
    expect(heard).toEqual([types.reject]);
    expect(await world.bob.service.list()).toEqual([]);
  });

  test('one that does not read its answers loses the link', async () => {
    const world = await createWorld();
    const { link } = speakTo(world);
    const deaf: Link = { ...link, send: () => new Promise(() => {}) };
    const flood = async (): Promise<void> => {
      for (let count = 0; count < 2_000; count += 1) await world.bob.service.message(deaf, { kind: 'accept', body: { transfer: id('9'), offerRoot: Buffer.alloc(32) } });
    };
    await expect(flood()).rejects.toMatchObject({ code: 'slow_consumer' });
  });

  test('any messages in any order, about own, foreign and unknown transfers: the service lives on', async () => {
    const world = await createWorld();
    const path = join(world.alice.directory, 'x');
    await writeFile(path, 'x');
    const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [path] }, new AbortController().signal);
    const { transfers: second } = await world.alice.service.send({ peers: ['bob'], paths: [path] }, new AbortController().signal);
    const transfer = fc.constantFrom(transfers[0]?.id ?? '', second[0]?.id ?? '', id('1'), id('2'));
    const hash = fc.constantFrom(Buffer.alloc(32), Buffer.alloc(32, 1));
    const text = fc.constantFrom('', 'reason', '\u001b[2J');
    const code = fc.constantFrom('no_space', 'rejected', 'strange');
    const message: fc.Arbitrary<TransferMessage> = fc.oneof(
      fc.record({ kind: fc.constant('offer' as const), body: transfer.map((value) => offerOf(value)) }),
      fc.record({ kind: fc.constant('manifest-request' as const), body: fc.record({ transfer, fromPage: fc.nat(3) }) }),
      fc.record({ kind: fc.constant('manifest-page' as const), body: fc.record({ transfer, index: fc.nat(2), page: fc.constant(page({})) }) }),
      fc.record({ kind: fc.constant('offered' as const), body: fc.record({ transfer }) }),
      fc.record({ kind: fc.constant('accept' as const), body: fc.record({ transfer, offerRoot: hash }) }),
      fc.record({ kind: fc.constant('reject' as const), body: fc.record({ transfer, code, message: text }) }),
      fc.record({ kind: fc.constant('have' as const), body: fc.record({ transfer, start: fc.nat(9), hashes: hash, last: fc.boolean() }) }),
      fc.record({ kind: fc.constant('progress' as const), body: fc.record({ transfer, bytesDone: fc.nat(), received: fc.nat(), reused: fc.nat(), rewritten: fc.nat(), writeMs: fc.nat() }) }),
      fc.record({ kind: fc.constant('entry-failed' as const), body: fc.record({ transfer, entry: fc.constant(0), code, message: text }) }),
      fc.record({ kind: fc.constant('source-complete' as const), body: fc.record({ transfer, contentRoot: hash, chunksSent: fc.nat() }) }),
      fc.record({ kind: fc.constant('receipt' as const), body: fc.record({ transfer, body: hash, signature: fc.constant(Buffer.alloc(64)), savedAs: fc.constant<Uint8Array[]>([]) }) }),
      fc.record({ kind: fc.constant('receipt-ack' as const), body: fc.record({ transfer }) }),
      fc.record({ kind: fc.constant('cancel' as const), body: fc.record({ transfer, message: text }) }),
      fc.record({ kind: fc.constant('failed' as const), body: fc.record({ transfer, code, message: text }) }),
    );
    const { link } = speakTo(world);
    const asBob: Link = { ...link, peer: world.bob.id, name: 'bob', publicKey: world.bob.identity.publicKey };
    world.alice.service.linkUp(asBob);
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 12 }), async (messages: LinkMessage[]) => {
        for (const one of messages) await world.alice.service.message(asBob, one);
        for (const summary of await world.alice.service.list()) expect(await world.alice.service.show(summary.id, {})).toMatchObject({ id: summary.id });
      }),
      { numRuns: 60 },
    );
    expect(JSON.stringify(await world.alice.service.list())).not.toContain('\\u001b');
  });
});
