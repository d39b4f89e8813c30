/** SIGSTOP: longer than a link lives without a sign (15 s), sometimes longer than every lease (30 s) too. */
import { type Fault, introduced, lasting } from '../fault.ts';

export const suspended: Fault = {
  name: 'suspend', summary: 'SIGSTOP of one or more daemons for 16 to 34 s', needs: [], setting: introduced,
  inject: async (stage, random, signal) => {
    const all = [...stage.peers, ...(stage.rendezvous ? [stage.rendezvous] : [])];
    const victims = random.chance(0.2) ? all : [random.pick(all)];
    for (const { daemon } of victims) daemon?.signal('SIGSTOP');
    await lasting(signal, random, 16_000, 34_000);
    for (const { daemon } of victims) daemon?.signal('SIGCONT');
  },
};
