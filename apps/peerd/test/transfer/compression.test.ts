import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chunkFrameType, compressedFrameType, type LinkMessage } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { chunkSize, createWorld, type World } from './linked-services.ts';

const bytes = 40 * chunkSize + 1;
const content = Buffer.from('the same few words, again and again; '.repeat(Math.ceil(bytes / 37))).subarray(0, bytes);

/** Over a line that is much slower than compressing. */
const sendText = async ({ alice }: World, compress?: 'auto' | 'off'): Promise<string> => {
  const path = join(alice.directory, 'text');
  await writeFile(path, content);
  const { transfers } = await alice.service.send({ peers: ['bob'], paths: [path], limitRate: 4_000_000, ...(compress ? { compress } : {}) }, new AbortController().signal);
  return transfers[0]?.id ?? '';
};
const arrived = async ({ bob }: World): Promise<boolean> => (await readFile(join(bob.settings.downloadDir, 'text'))).equals(content);

describe('compression', () => {
  test.each([
    ['a receiver that does not announce compressed frames', undefined, ({ kind, body }: LinkMessage): LinkMessage => (kind === 'accept' ? { kind, body: { transfer: body.transfer, offerRoot: body.offerRoot } } : ({ kind, body } as LinkMessage))],
    ['a sender that was told not to', 'off' as const, (message: LinkMessage): LinkMessage => message],
  ])('%s: plain frames only', async (_what, compress, onMessage) => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const id = await sendText(world, compress);
    const types = new Set<number>();
    const wire = world.link();
    wire.onMessage = (_to, message) => onMessage(message);
    wire.onFrame = ({ type }) => void types.add(type);
    await Promise.all([world.alice.reaches(id, 'done'), world.bob.reaches(id, 'done')]);
    expect([...types]).toEqual([chunkFrameType]);
    expect(await arrived(world)).toBe(true);
    expect(await world.alice.service.show(id, {})).toMatchObject({ compress: compress ?? 'auto', traffic: { tried: 0, compressed: 0, savedBytes: 0 } });
  });

  test('goes on after a lost link; what travelled is counted over both, and survives the daemons', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const { alice, bob } = world;
    const id = await sendText(world);
    const first = world.link();
    const cut = Promise.withResolvers<void>();
    first.onFrame = ({ type }, count) => {
      if (type !== compressedFrameType || count < 20) return;
      first.cut();
      cut.resolve();
    };
    await cut.promise;
    world.link();
    await Promise.all([alice.reaches(id, 'done'), bob.reaches(id, 'done')]);
    expect(await arrived(world)).toBe(true);
    const [sent, received] = await Promise.all([alice.service.show(id, {}), bob.service.show(id, {})]);
    expect(received).toMatchObject({ bytesDone: bytes, chunks: { rewritten: 0 } });
    expect(received).not.toHaveProperty('compress');
    for (const { traffic } of [sent, received]) {
      expect(traffic.compressed).toBeGreaterThan(20);
      expect(traffic.wireBytes).toBeLessThan(bytes / 2);
    }
    expect(sent.traffic.tried).toBeGreaterThanOrEqual(sent.traffic.compressed);
    expect(await alice.registry.metrics()).toMatch(/peerd_transfer_wire_bytes_total\{direction="send"\} [1-9]/);
    await alice.stop();
    await alice.start();
    expect((await alice.service.show(id, {})).traffic).toEqual(sent.traffic);
  });
});
