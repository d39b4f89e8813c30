import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffTrees, sha256OfFile, writeLogFile, writeRandomFile } from '../harness/files.ts';
import { type Peer, World } from '../harness/world.ts';

const MiB = 1024 * 1024;

interface Shown {
  state: string;
  bytesDone: number;
  compress?: string;
  chunks: { sent: number; received: number; rewritten: number };
  traffic: { wireBytes: number; compressed: number; savedBytes: number; tried: number };
}

describe('compression', () => {
  let world: World;
  let alice: Peer;
  let bob: Peer;
  beforeAll(async () => {
    world = await World.create();
    await world.rendezvous();
    [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** What both ends say of it in the end. */
  const sent = async (name: string, ...args: readonly string[]): Promise<{ here: Shown; there: Shown }> => {
    const { code, stdout, stderr } = await alice.run('--json', 'send', 'bob', name, ...args);
    expect([code, stderr]).toEqual([0, '']);
    const { id } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { id: string };
    const [here, there] = await Promise.all([alice.json<Shown>('show', id), bob.json<Shown>('show', id)]);
    // Both saw the same bytes, whatever they were.
    expect(there.traffic).toEqual({ ...here.traffic, tried: 0 });
    expect([here.chunks.rewritten, here.chunks.sent]).toEqual([0, there.chunks.received]);
    return { here, there };
  };
  const arrived = async (name: string): Promise<void> => expect(await sha256OfFile(join(bob.inboxDirectory, name))).toBe(await sha256OfFile(join(alice.directory, name)));

  test('what shrinks goes compressed over a slow line, and arrives as it was; the limit counts what travels', async () => {
    const bytes = 16 * MiB + 7;
    await writeLogFile(join(alice.directory, 'log'), bytes);
    const { here } = await sent('log', '--limit-rate', '8M');
    expect(here).toMatchObject({ state: 'done', bytesDone: bytes, compress: 'auto' });
    expect(here.traffic.compressed).toBeGreaterThan(8);
    expect(here.traffic.wireBytes).toBeLessThan(bytes / 2);
    expect(here.traffic.wireBytes + here.traffic.savedBytes).toBeGreaterThan(bytes);
    await arrived('log');
    const { stdout } = await alice.run('transfers', '--json');
    const id = (JSON.parse(stdout) as { transfers: { id: string }[] }).transfers.at(-1)?.id ?? '';
    expect((await alice.run('show', id)).stdout).toMatch(/travelled .*saved by compression/);
  });

  test('small files go compressed as a whole pack', async () => {
    await mkdir(join(alice.directory, 'small'));
    for (let index = 0; index < 300; index += 1) await writeFile(join(alice.directory, 'small', `f${index}`), `file ${index}: ${'the same words '.repeat(60)}`);
    const { here } = await sent('small', '--limit-rate', '8M');
    expect(here.traffic.compressed).toBeGreaterThan(0);
    expect(here.traffic.wireBytes).toBeLessThan(300 * 200);
    expect(await diffTrees(join(alice.directory, 'small'), join(bob.inboxDirectory, 'small'))).toBe('');
  });

  test('what does not shrink is tried seldom and travels as it is', async () => {
    await writeRandomFile(join(alice.directory, 'random'), 32 * MiB);
    const { here } = await sent('random', '--limit-rate', '64M');
    expect(here.traffic).toMatchObject({ compressed: 0, savedBytes: 0 });
    expect(here.traffic.tried).toBeGreaterThan(0);
    // Of 32 pieces: with ever longer rests.
    expect(here.traffic.tried).toBeLessThanOrEqual(8);
    expect(here.traffic.wireBytes).toBeGreaterThan(32 * MiB);
    await arrived('random');
  });

  test('`off`: nothing is tried', async () => {
    await writeLogFile(join(alice.directory, 'plain'), 4 * MiB);
    const { here } = await sent('plain', '--compress', 'off', '--limit-rate', '16M');
    expect(here).toMatchObject({ compress: 'off', traffic: { compressed: 0, tried: 0, savedBytes: 0 } });
    expect(here.traffic.wireBytes).toBeGreaterThan(4 * MiB);
    await arrived('plain');
    expect(await alice.run('send', 'bob', 'plain', '--compress', 'always')).toMatchObject({ code: 2 });
  });
});
