/** What four people do with docker/compose.yaml, in its real images on a real Docker Engine. */
import type { SendMessageResponse, TransferDetail } from '@peerd/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFailed, test } from 'vitest';
import { Compose } from './harness/compose.ts';
import type { ContainerPeer } from './harness/peer.ts';
import { until } from './harness/poll.ts';

const unavailable = inject('noContainers');

describe('four peers of docker/compose.yaml', () => {
  let compose: Compose;
  let pairs: [ContainerPeer, ContainerPeer][];
  beforeAll(async () => {
    if (unavailable !== undefined) return;
    compose = await Compose.up();
    pairs = compose.peers.flatMap((from) => compose.peers.filter((to) => to !== from).map((to): [ContainerPeer, ContainerPeer] => [from, to]));
  });
  afterAll(() => compose?.[Symbol.asyncDispose]());
  beforeEach(({ skip }) => {
    skip(unavailable !== undefined, unavailable);
    onTestFailed(async () => console.error(await compose.logs()));
  });

  test('run as a user without privileges, with production dependencies only', async () => {
    for (const container of [compose.rendezvous, ...compose.peers]) {
      expect(await container.evaluate("({ uid: process.getuid(), capabilities: /^CapEff:\\s*(\\S+)/m.exec(fs.readFileSync('/proc/1/status', 'utf8'))[1] })")).toEqual({
        uid: 12001,
        capabilities: '0000000000000000',
      });
      const packages = await container.evaluate<string[]>(
        "fs.readdirSync('/opt').map((program) => '/opt/' + program + '/node_modules/.pnpm').filter((path) => fs.existsSync(path)).flatMap((path) => fs.readdirSync(path))",
      );
      expect(packages.some((name) => name.startsWith('fastify@'))).toBe(true);
      expect(packages.filter((name) => /^(typescript|vitest|rolldown|testcontainers|fast-check|@types\+.*)@/.test(name))).toEqual([]);
    }
  });

  test('everybody is on the roster, once', async () => {
    await compose.settled();
    for (const peer of compose.peers) {
      const seen = await peer.peers();
      expect(seen.map(({ name }) => name).sort()).toEqual(compose.peers.filter((other) => other !== peer).map(({ service }) => service));
    }
  });

  test('messages arrive between every pair, in order', async () => {
    const texts = ['hello', 'ça va? 你好', 'bye'];
    await Promise.all(
      pairs.map(async ([from, to]) => {
        for (const text of texts) {
          const { state } = await from.json<SendMessageResponse>('chat', to.service, text);
          expect(['delivered', 'queued']).toContain(state);
        }
      }),
    );
    for (const [from, to] of pairs) expect(await until(`${from.service}'s messages at ${to.service}`, () => to.messagesFrom(from), ({ length }) => length >= texts.length)).toEqual(texts);
  });

  test('a file goes from each to each: nothing before consent, then content and receipt', async () => {
    const sent = await Promise.all(
      pairs.map(async ([from, to]) => {
        const sample = await from.makeFile(`${from.service}-to-${to.service}`, 3);
        return { from, to, sample, send: from.peerctl('send', to.service, sample.path) };
      }),
    );
    await Promise.all(sent.map(({ send }) => send.line(({ event }) => event === 'offered')));
    for (const peer of compose.peers) expect(await peer.received()).toEqual([]);

    await Promise.all(
      sent.map(async ({ from, to, sample, send }) => {
        const id = await to.accept(sample);
        const { code, stdout } = await send.result;
        expect({ code, last: JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as unknown }).toMatchObject({ code: 0, last: { event: 'done', id } });
        for (const side of [from, to]) {
          const detail = await side.json<TransferDetail>('show', id);
          expect(detail).toMatchObject({ state: 'done', bytesDone: 3 * 1024 * 1024, receipt: { verified: true, durability: 'transfer' } });
        }
      }),
    );
    for (const peer of compose.peers) {
      const expected = sent.filter(({ to }) => to === peer).map(({ sample: { name, sha256 } }) => ({ name, sha256 }));
      expect(await peer.received()).toEqual(expected.sort((one, other) => (one.name < other.name ? -1 : 1)));
    }
  });

  test('a rejected offer exits 5 and leaves nothing', async () => {
    const { alice, bob } = compose;
    const before = await bob.received();
    const sample = await alice.makeFile('unwanted', 1);
    const send = alice.peerctl('send', 'bob', sample.path);
    const { id } = await send.line(({ event }) => event === 'offered');
    await bob.json('reject', String(id), '--reason', 'no thanks');
    expect((await send.result).code).toBe(5);
    expect(await bob.received()).toEqual(before);
  });
});
