/**
 * Another user swaps names for links while transfers run, in a process of its own, thousands of times: whatever becomes of the
 * transfers, nothing outside of the destination is touched, and nothing that was not offered is sent.
 *
 * PEERD_RACE_SECONDS: for how long each of them runs; default 2.
 */
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HaveSet, type PlaceOptions, Receiver, sendContent, StageClock } from '../../src/index.ts';
import { Attacker, type Orders } from '../support/attacker.ts';
import { content } from '../support/content.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { makeCanary, snapshot } from '../support/snapshot.ts';
import { chunkSize, flow, MemoryLog, offer, type Offered, openReceiver } from '../support/transfer.ts';

const seconds = Number(process.env['PEERD_RACE_SECONDS'] ?? 2);
const signal = new AbortController().signal;
const files = ['dir/small', 'dir/large', 'dir/sub/small', 'dir/sub/large', 'file'] as const;
const names = ['small', 'large', 'file', 'dir', 'link'];

interface Arena {
  readonly root: string;
  readonly source: string;
  readonly outside: string;
  readonly attacker: Attacker;
}

/** Where the attacker may look, and outside of which nothing of the receiver's is. */
const arena = async (): Promise<Arena> => {
  const root = await temporaryDirectory();
  chmodSync(root, 0o711);
  const [source, outside] = [join(root, 'source'), join(root, 'outside')];
  for (const directory of ['dir/sub', 'fresh/deep']) mkdirSync(join(source, directory), { recursive: true });
  for (const path of [...files, 'fresh/deep/file']) writeFileSync(join(source, path), content(path.includes('large') ? 2 * chunkSize + 7 : 900, 5));
  symlinkSync('small', join(source, 'dir/link'));
  makeCanary(outside, names);
  const attacker = new Attacker();
  onTestFinished(() => attacker[Symbol.asyncDispose]());
  return { root, source, outside, attacker };
};

/** Anybody may write to it, as to a directory that a group shares. */
const shared = (...paths: string[]): void => {
  for (const path of paths) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o777);
  }
};

/** At least a thousand swaps, however slow the machine is. */
const rounds = async (attacker: Attacker, run: (round: number) => Promise<void>): Promise<number> => {
  const until = performance.now() + seconds * 1_000;
  let round = 0;
  for (; performance.now() < until || attacker.count < 1_000; round += 1) await run(round);
  return round;
};

/** `true`: it was delivered. What the attacker spoils is an error of the registry, never a defect. */
const receive = async (state: string, destination: string, offered: Offered, conflict: PlaceOptions['conflict']): Promise<boolean> => {
  let receiver: Receiver | undefined;
  try {
    receiver = await openReceiver(state, destination, offered);
    const sent = await flow({ state, offered, receiver });
    await receiver.complete(sent.contentRoot);
    const { failed } = await receiver.place({ conflict, durability: 'none', log: new MemoryLog(), signal });
    return failed === 0;
  } catch (error) {
    expect(error).toBeInstanceOf(PeerdError);
    return false;
  } finally {
    await receiver?.close();
    await Receiver.discard({ destination, stagingName: 'test', journalPath: join(state, 'receiver.journal') }).catch((error: unknown) => expect(error).toBeInstanceOf(PeerdError));
  }
};

const show = (what: string, attacker: Attacker, numbers: Record<string, number>): void => {
  process.stdout.write(`races: ${what}: ${attacker.count} swaps in ${JSON.stringify(numbers)}\n`);
};

const staged = (destination: string, outside: string): Orders['swaps'] => [
  { at: join(destination, '.peerd-test'), to: outside },
  { at: join(destination, '.peerd-test'), to: join(outside, 'sub') },
];

describe('links that another user puts in the way', () => {
  test.each(['rename', 'fail', 'overwrite', 'skip'] as const)('of a receiver, policy %s', async (conflict) => {
    const { root, source, outside, attacker } = await arena();
    const merges = conflict === 'overwrite' || conflict === 'skip';
    const before = snapshot(outside);
    let delivered = 0;
    const count = await rounds(attacker, async (round) => {
      const [state, destination] = [join(root, `state-${round}`), join(root, `destination-${round}`)];
      mkdirSync(state);
      shared(destination, ...(merges ? [join(destination, 'dir'), join(destination, 'dir/sub'), join(destination, 'other')] : []));
      if (merges) for (const path of files) writeFileSync(join(destination, path), 'old');
      const offered = await offer(state, ['dir', 'file', 'fresh'].map((name) => join(source, name)));
      const at = (name: string, to: string): { at: string; to: string } => ({ at: join(destination, name), to: join(outside, to) });
      await attacker.attack({
        swaps: [
          ...(staged(destination, outside) ?? []), at('dir', ''), at('dir', 'sub'), at('file', 'kept'), at('file', 'absent'), at('fresh', 'sub'),
          ...(merges ? [at('dir/sub', 'sub'), at('dir/small', 'kept'), at('dir/sub/large', 'sub')] : [at('dir (1)', ''), at('file (1)', 'kept')]),
        ],
        trades: merges ? [{ at: join(destination, 'dir/sub'), with: join(destination, 'other') }] : [],
      });
      if (await receive(state, destination, offered, conflict)) delivered += 1;
      await attacker.stop();
      await Promise.all([offered.sender.close(), offered.receiver.close()]);
      expect(snapshot(outside)).toEqual(before);
    });
    show(`policy ${conflict}`, attacker, { transfers: count, delivered });
  }, seconds * 1_000 + 120_000);

  test('of a chosen directory, on the way to it', async () => {
    const { root, source, outside, attacker } = await arena();
    const before = snapshot(outside);
    let delivered = 0;
    const count = await rounds(attacker, async (round) => {
      const [state, place] = [join(root, `state-${round}`), join(root, `place-${round}`)];
      mkdirSync(state);
      shared(place, join(place, 'parent'), join(place, 'parent/destination'));
      const offered = await offer(state, [join(source, 'dir'), join(source, 'file')]);
      await attacker.attack({ swaps: [{ at: join(place, 'parent'), to: outside }, { at: join(place, 'parent/destination'), to: outside }] });
      // Opened again and again, as after pauses and restarts.
      for (let attempt = 0; attempt < 8; attempt += 1) if (await receive(state, join(place, 'parent/destination'), offered, 'rename')) delivered += 1;
      await attacker.stop();
      await Promise.all([offered.sender.close(), offered.receiver.close()]);
      expect(snapshot(outside)).toEqual(before);
    });
    show('the way to the destination', attacker, { transfers: count * 8, delivered });
  }, seconds * 1_000 + 120_000);

  test('of cleaning up: a directory that bears the name of ours for a moment keeps all that is in it', async () => {
    const { root, attacker } = await arena();
    const destination = join(root, 'destination');
    shared(destination);
    makeCanary(join(destination, 'bystander'), names);
    // Its names may change places, so its own time may too; what is in it may not.
    const inside = (): unknown => Object.entries(snapshot(join(destination, 'bystander'))).slice(1);
    const before = inside();
    const staging = join(destination, '.peerd-test');
    const count = await rounds(attacker, async () => {
      mkdirSync(join(staging, 't/deep'), { recursive: true });
      for (let file = 0; file < 20; file += 1) writeFileSync(join(staging, `t/deep/${file}`), 'ours');
      await attacker.attack({ trades: [{ at: staging, with: join(destination, 'bystander') }], swaps: [{ at: staging, to: join(destination, 'bystander') }] });
      for (let attempt = 0; attempt < 4; attempt += 1)
        await Receiver.discard({ destination, stagingName: 'test', journalPath: join(root, 'journal') }).catch((error: unknown) => expect(error).toBeInstanceOf(PeerdError));
      await attacker.stop();
      expect(inside()).toEqual(before);
    });
    show('cleaning up', attacker, { rounds: count });
  }, seconds * 1_000 + 120_000);

  test('of a sender: what a link leads to is not sent', async () => {
    const { root, source, outside, attacker } = await arena();
    // Nothing tells it from what was offered but what it is.
    const secret = Buffer.alloc(900, 'SECRET');
    makeCanary(outside, names, secret.toString());
    for (const name of ['small', 'sub/small', 'file']) utimesSync(join(outside, name), 1, 1_600_000_000);
    shared(source, join(source, 'dir'), join(source, 'dir/sub'));
    for (const path of files) utimesSync(join(source, path), 1, 1_600_000_000);
    const before = snapshot(outside);
    let chunks = 0;
    const failures: Record<string, number> = {};
    const count = await rounds(attacker, async (round) => {
      const state = join(root, `state-${round}`);
      mkdirSync(state);
      const swaps = [['dir', ''], ['dir/sub', 'sub'], ['dir/sub', ''], ['dir/small', 'small'], ['dir/sub/small', 'sub/small'], ['file', 'file']].map(([at = '', to = '']) => ({ at: join(source, at), to: join(outside, to) }));
      // Also while it is walked.
      if (round % 2 === 1) await attacker.attack({ swaps });
      const offered = await offer(state, [join(source, 'dir'), join(source, 'file')]).catch((error: unknown) => {
        expect(error).toBeInstanceOf(PeerdError);
      });
      if (!offered) return attacker.stop();
      await attacker.attack({ swaps });
      for (let attempt = 0; attempt < 8; attempt += 1)
        await sendContent({
          manifest: offered.sender, roots: offered.scan.roots, journalPath: join(state, `journal-${attempt}`), have: new HaveSet(offered.scan.chunks), alreadyFailed: new Set(), stages: new StageClock(), signal,
          sink: {
            write: async (buffers) => {
              for (const buffer of buffers) expect(Buffer.from(buffer).includes('SECRET')).toBe(false);
            },
          },
          onEntryFailed: (_entry, code) => void (failures[code] = (failures[code] ?? 0) + 1), onChunksSent: (sent) => void (chunks += sent),
        });
      await attacker.stop();
      await Promise.all([offered.sender.close(), offered.receiver.close()]);
      expect(snapshot(outside)).toEqual(before);
    });
    show('sources', attacker, { walks: count, chunks, ...failures });
    expect(chunks).toBeGreaterThan(0);
  }, seconds * 1_000 + 120_000);
});
