import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import type { Database, Statement } from '../../src/database/ports.ts';
import { chunkSize, createWorld, type Peer, type World } from './linked-services.ts';

const never = new AbortController().signal;

interface Started {
  readonly world: World;
  readonly id: string;
  readonly content: Buffer;
}

const begin = async (): Promise<Started> => {
  const world = await createWorld({ bob: { accept: 'auto' } });
  const content = randomBytes(3 * chunkSize);
  await writeFile(join(world.alice.directory, 'file'), content);
  const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [join(world.alice.directory, 'file')] }, never);
  return { world, id: transfers[0]?.id ?? '', content };
};

const full = new PeerdError('no_space', 'database or disk is full');

/** The first statements that fit are refused, as SQLite refuses them on a full disk. @returns how many were */
const refuse = (database: Database, fits: (statement: Statement) => boolean, times: number): (() => number) => {
  let refused = 0;
  const guard = (statements: readonly Statement[]): void => {
    if (refused >= times || !statements.some(fits)) return;
    refused += 1;
    throw full;
  };
  const batch = database.batch.bind(database);
  const run = database.run.bind(database);
  database.batch = async (statements) => {
    guard(statements);
    return batch(statements);
  };
  database.run = async (sql, ...params) => {
    guard([{ sql, params }]);
    return run(sql, ...params);
  };
  return () => refused;
};

const updatesTo = (state: string) => ({ sql, params = [] }: Statement): boolean => sql.startsWith('UPDATE transfers') && params.includes(state);

const arrived = async ({ world: { alice, bob }, id, content }: Started): Promise<void> => {
  await Promise.all([alice.reaches(id, 'done'), bob.reaches(id, 'done')]);
  expect(await readdir(bob.settings.downloadDir)).toEqual(['file']);
  expect((await readFile(join(bob.settings.downloadDir, 'file'))).equals(content)).toBe(true);
  for (const peer of [alice, bob]) {
    expect((await peer.service.show(id, {})).receipt).toMatchObject({ verified: true });
    expect([await peer.receipts.verify(never), (await peer.receipts.list(0, 10)).total]).toMatchObject([{ problem: undefined }, 1]);
  }
};

describe('a disk that fails for a while', () => {
  test.each([
    ['the sender has sent everything', 'alice', updatesTo('verifying')],
    ['the receiver has the manifest', 'bob', (statement: Statement): boolean => updatesTo('offered')(statement) || updatesTo('failed')(statement)],
    ['the receiver has placed everything', 'bob', updatesTo('done')],
    ['the receiver is about to place something', 'bob', ({ sql }: Statement): boolean => sql.includes('transfer_placements')],
  ] as const)('when %s: it is done as soon as that can be stored', async (_when, who, fits) => {
    const started = await begin();
    const refused = refuse(started.world[who].database, fits, 2);
    started.world.link();
    await arrived(started);
    expect(refused()).toBe(2);
  });

  test('when the receipt is to be stored: what was delivered does not stay without one', async () => {
    const started = await begin();
    const { bob } = started.world;
    const append = bob.receipts.append.bind(bob.receipts);
    let failures = 0;
    bob.receipts.append = async (receipt) => {
      failures += 1;
      if (failures <= 2) throw new PeerdError('io_error', 'the receipt cannot be stored');
      return append(receipt);
    };
    started.world.link();
    await arrived(started);
    expect(failures).toBe(3);
  });

  test('when a failure is to be stored: both sides hear of it later', async () => {
    const { world, id } = await begin();
    const { alice, bob } = world;
    const refused = refuse(bob.database, updatesTo('failed'), 2);
    const wire = world.link();
    // The destination is gone when the first chunk comes.
    wire.onFrame = async () => rm(bob.settings.downloadDir, { recursive: true, force: true });
    await ended(bob, id);
    await ended(alice, id);
    expect(refused()).toBe(2);
  });
});

const ended = (peer: Peer, id: string): Promise<unknown> => peer.event((event) => event.kind === 'transfer' && event.transfer.id === id && event.transfer.state === 'failed');
