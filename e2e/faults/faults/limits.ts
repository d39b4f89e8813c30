/** What a machine runs out of, and clocks that lie. */
import { readdirSync } from 'node:fs';
import { openFilesLimits, setOpenFiles } from '../system.ts';
import { type Fault, introduced, lasting } from '../fault.ts';

const hour = 3_600;
const day = 24 * hour;

export const limitFaults: readonly Fault[] = [
  {
    name: 'no-descriptors', summary: 'a daemon may open no more files than it has open, or a few (prlimit)', needs: ['prlimit'], setting: introduced,
    inject: async (stage, random, signal) => {
      const pid = random.pick(stage.peers).daemon?.pid ?? 0;
      const before = await openFilesLimits(pid);
      const open = readdirSync(`/proc/${pid}/fd`).length;
      await setOpenFiles(pid, `${open + random.pick([0, 0, 1, 2, 4, 8])}:${before.split(':')[1]}`);
      await lasting(signal, random, 500, 5_000);
      await setOpenFiles(pid, before);
    },
  },
  {
    name: 'clock', summary: 'the clock of a daemon jumps, by seconds or days, forth or back, and then back again (libfaketime)', needs: ['libfaketime'],
    setting: () => ({ through: 'rendezvous', clocks: true }),
    inject: async (stage, random, signal) => {
      const victim = random.pick(['alice', 'bob', 'rendezvous'] as const);
      for (let count = random.int(1, 3); count > 0; count -= 1) {
        stage.setClock(victim, random.pick([1, -1]) * random.pick([20, hour, day, 400 * day]));
        await lasting(signal, random, 500, 3_000);
      }
      stage.setClock(victim, 0);
    },
  },
];
