import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lacks, type Traced, traced } from '../../faults/system.ts';
import { type Peer, World } from '../../harness/world.ts';

const unavailable = await lacks('strace');
if (unavailable !== undefined) console.warn(`skipped: flushes that fail: ${unavailable}`);

/** What is in the state directory under this name can't be flushed; `met` resolves when so many flushes have failed. */
const failing = async (peer: Peer, name: string): Promise<Traced & { met: (times: number) => Promise<void> }> => {
  const output = join(peer.directory, 'strace.txt');
  const trace = await traced(peer.daemon?.pid ?? 0, ['-e', 'trace=fdatasync,fsync', '-e', 'inject=fdatasync,fsync:error=EIO', '-P', join(peer.directory, 'state', name)], output);
  return { ...trace, met: (times) => expect.poll(() => readFileSync(output, 'utf8').split('INJECTED').length - 1, { timeout: 20_000 }).toBeGreaterThanOrEqual(times) };
};

describe.skipIf(unavailable !== undefined)('what cannot be flushed', () => {
  test('the log of the database: nobody is answered before what was stored is safe, and peerd goes on', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    const trace = await failing(alice, 'peerd.db-wal');
    // Trusting somebody is stored before it is answered.
    const trusting = alice.command(['trust', bob.id]);
    // Whoever is answered all the same has its answer by the third.
    await trace.met(3);
    expect([trusting.child.exitCode, alice.daemon?.running]).toEqual([null, true]);
    await trace.end();
    expect((await trusting.result).code).toBe(0);
    await alice.end('SIGKILL');
    await alice.start();
    expect(await alice.json('contacts')).toMatchObject({ contacts: [{ id: bob.id }] });
  });

  test('the logs of receipts: nobody hears of a delivery before, and it is done afterwards', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    writeFileSync(join(alice.directory, 'file'), 'content');
    const receipts = async (peer: Peer): Promise<number> => (await peer.json<{ total: number }>('receipts')).total;
    const atReceiver = await failing(bob, 'receipts.log');
    const held = bob.daemon?.line(({ msg }) => msg === 'transfer: what has arrived cannot be delivered now');
    const send = alice.command(['--json', 'send', bob.id, 'file']);
    expect(await held).toMatchObject({ err: { code: 'io_error' } });
    expect([await receipts(alice), await receipts(bob), send.lines.some(({ event }) => event === 'done')]).toEqual([0, 0, false]);
    const atSender = await failing(alice, 'receipts.log');
    const refused = alice.daemon?.line(({ msg }) => msg === 'a user of the link gave it up');
    await atReceiver.end();
    expect(await refused).toMatchObject({ err: { code: 'io_error' } });
    expect([await receipts(alice), await receipts(bob), send.lines.some(({ event }) => event === 'done')]).toEqual([0, 1, false]);
    await atSender.end();
    expect((await send.result).code).toBe(0);
    expect([await receipts(alice), await receipts(bob)]).toEqual([1, 1]);
  });
});
