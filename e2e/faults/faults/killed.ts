/** kill -9, once or a few times, each with a new start after a while. */
import type { Random } from '../random.ts';
import type { Stage } from '../stage.ts';
import { type Fault, introduced, lasting } from '../fault.ts';
import type { Peer } from '../../harness/world.ts';

const killed = (name: string, summary: string, victims: (stage: Stage) => readonly Peer[]): Fault => ({
  name, summary, needs: [], setting: introduced,
  inject: async (stage, random, signal) => {
    for (let count = random.pick([1, 1, 2, 3]); count > 0; count -= 1) {
      await Promise.all(victims(stage).map((victim, index) => stage.kill(victim, () => lasting(signal, random.fork(`${count}-${index}`), 0, 1_500))));
      if (count > 1) await lasting(signal, random, 0, 2_000);
    }
  },
});

export const killedFaults: readonly Fault[] = [
  killed('kill-sender', 'kill -9 of the sender, and a new start', (stage) => [stage.peer('alice')]),
  killed('kill-receiver', 'kill -9 of the receiver, and a new start', (stage) => [stage.peer('bob')]),
  killed('kill-both', 'kill -9 of both peers at once, and a new start', (stage) => stage.peers),
  {
    name: 'kill-rendezvous', summary: 'kill -9 of the rendezvous, sometimes of a peer too, and a new start', needs: [], setting: introduced,
    inject: async (stage, random, signal) => {
      const victims = [...(stage.rendezvous ? [stage.rendezvous] : []), ...(random.chance(0.5) ? [random.pick(stage.peers)] : [])];
      await Promise.all(victims.map((victim, index) => stage.kill(victim, () => lasting(signal, pause(random, index), 0, 3_000))));
    },
  },
];

const pause = (random: Random, index: number): Random => random.fork(`pause-${index}`);
