/** What networks do to connections. */
import type { Setting } from '../stage.ts';
import type { FaultProxy, Mangling } from '../proxy.ts';
import type { Random } from '../random.ts';
import { type Fault, lasting } from '../fault.ts';

const behindProxies = (): Setting => ({ through: 'proxy' });

const onProxies = (name: string, summary: string, inject: (proxies: readonly FaultProxy[], random: Random, signal: AbortSignal) => Promise<void>): Fault => ({
  name, summary, needs: [], setting: behindProxies, inject: (stage, random, signal) => inject(stage.proxies, random, signal),
});

const mangling = (kind: Mangling, summary: string): Fault =>
  onProxies(kind, summary, async (proxies, random, signal) => {
    for (let count = random.int(1, 4); count > 0; count -= 1) {
      // Both: which one of them carries the link is decided by who dialled first.
      for (const [index, proxy] of proxies.entries()) proxy.mangleNext(kind, random.fork(`${count}-${index}`));
      await lasting(signal, random, 100, 1_500);
    }
  });

export const networkFaults: readonly Fault[] = [
  onProxies('cut', 'all connections are reset, a few times, sometimes refused for a while', async (proxies, random, signal) => {
    for (let count = random.int(1, 4); count > 0; count -= 1) {
      const refused = random.chance(0.5);
      for (const proxy of proxies) {
        proxy.refuse(refused);
        proxy.cut();
      }
      await lasting(signal, random, 50, 3_000);
      for (const proxy of proxies) proxy.refuse(false);
      await lasting(signal, random, 0, 1_500);
    }
  }),
  onProxies('stall', 'nothing passes for 1 to 20 s (a link counts as dead after 15 s), and nobody is told', async (proxies, random, signal) => {
    for (const proxy of proxies) proxy.stall();
    await lasting(signal, random, 1_000, random.pick([4_000, 20_000]));
    for (const proxy of proxies) proxy.goOn();
  }),
  mangling('corrupt', 'a bit of what passes is another one'),
  mangling('duplicate', 'a piece of the stream comes twice'),
  mangling('reorder', 'a piece of the stream is overtaken by the next one'),
  mangling('drop', 'the end of a piece of the stream is missing'),
  onProxies('replay', 'what a client said is said again on a connection of its own', async (proxies, random, signal) => {
    for (let count = random.int(1, 4); count > 0; count -= 1) {
      await Promise.all(proxies.map((proxy, index) => proxy.replay(random.fork(`${count}-${index}`))));
      await lasting(signal, random, 0, 1_000);
    }
  }),
  {
    name: 'unplug', summary: 'the network between two hosts (namespaces) is gone for 1 to 25 s', needs: ['namespaces'], setting: () => ({ through: 'namespaces' }),
    inject: async (stage, random, signal) => {
      const host = random.pick(stage.hosts);
      await host.plugged(false);
      await lasting(signal, random, 1_000, random.pick([5_000, 25_000]));
      await host.plugged(true);
    },
  },
];
