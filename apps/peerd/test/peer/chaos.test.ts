/** Real sockets under random faults: in the end every pair has one link, and both ends mean the same connection. */
import { chat, encodeMessage } from '@peerd/protocol';
import type { Identity } from '@peerd/service';
import { expect, test } from 'vitest';
import { identities, until } from '../support.ts';
import { Hub, type TestPeer } from './hub.ts';
import { TcpProxy } from './tcp-proxy.ts';

const timing = { probeMs: 60, heartbeatMs: 60, selectMs: 300, staggerMs: 10, redial: { firstMs: 10, maxMs: 60 }, askedDialMs: 500 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** The faults are the same at each run; how they meet the sockets is not. */
let seed = Number(process.env['CHAOS_SEED'] ?? 1);
const random = (): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
};
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 40);

test('freezes, cuts, restarts and disconnects: links come back, one for each pair', async () => {
  const hub = new Hub();
  const all: readonly Identity[] = await identities();
  const peers = new Map<Identity, TestPeer>();
  const proxies = new Map<Identity, TcpProxy>();
  const addresses = async (identity: Identity): Promise<void> => {
    const peer = peers.get(identity) as TestPeer;
    const proxy = await TcpProxy.to(peer.links.address);
    proxies.set(identity, proxy);
    hub.list(peer, [proxy.address]);
  };
  const start = async (identity: Identity): Promise<void> => {
    const peer = await hub.peer(identity, { listed: false, timing });
    peers.set(identity, peer);
    await addresses(identity);
    for (const other of all) if (other !== identity) peer.contacts.add(other.id);
    need(peer);
  };
  const need = (peer: TestPeer): void => {
    for (const { id } of all) if (id !== peer.id) peer.links.need(id, 'chaos');
  };
  for (const identity of all) await start(identity);

  for (let round = 0; round < rounds; round += 1) {
    const identity = pick(all);
    const peer = peers.get(identity) as TestPeer;
    switch (pick(['freeze', 'cut', 'restart', 'disconnect', 'connect', 'connect'] as const)) {
      case 'freeze':
        proxies.get(identity)?.freeze();
        await addresses(identity);
        break;
      case 'cut':
        proxies.get(identity)?.cut();
        await addresses(identity);
        break;
      case 'restart': {
        // Not stopped first: its old links have to be replaced, not only found dead.
        await start(identity);
        const stopped = peer.links.stop();
        if (random() < 0.5) await stopped;
        break;
      }
      case 'disconnect':
        await peer.links.disconnect(pick(all).id);
        need(peer);
        break;
      case 'connect':
        for (const other of all) if (other !== identity) peer.links.connect(other.id, AbortSignal.timeout(500)).catch(() => {});
    }
    await pause(random() * 40);
  }
  for (const peer of peers.values()) need(peer);

  const pairs = all.flatMap((one, index) => all.slice(index + 1).map((two) => [peers.get(one) as TestPeer, peers.get(two) as TestPeer] as const));
  for (const [one, two] of pairs) {
    const token = `${one.id} ${two.id}`;
    // A link that is about to be found dead does not carry this; the one that stays does.
    for (const [from, to] of [[one, two], [two, one]] as const) {
      let arrived = false;
      to.onMessage = (_link, message) => {
        if (message.kind === 'chat' && message.body.text === token) arrived = true;
      };
      await until(() => {
        from.links.get(to.id)?.send(encodeMessage(chat, { id: '01hzzzzzzzzzzzzzzzzzzzzzzz', text: token, sentAt: 1 })).catch(() => {});
        return arrived;
      });
    }
    await until(() => one.links.get(two.id)?.dialled !== two.links.get(one.id)?.dialled);
  }
  expect([...peers.values()].map(({ links }) => links.all().length)).toEqual([2, 2, 2]);
});
