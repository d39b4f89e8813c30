/** Makes a schedule that breaks a promise smaller, as long as it breaks the same one. */
import { runSchedule } from './run.ts';
import type { Schedule } from './schedule.ts';

const maxRuns = 500;

export const shrink = (schedule: Schedule, invariant: string): Schedule => {
  let smallest = schedule;
  let runs = 0;
  const stillFails = (candidate: Schedule): boolean => {
    runs += 1;
    if (runs > maxRuns || runSchedule(candidate).violation?.invariant !== invariant) return false;
    smallest = candidate;
    return true;
  };
  for (;;) {
    const before = smallest;
    for (const key of ['events', 'sends'] as const)
      for (let at = smallest[key].length - 1; at >= 0; at -= 1) stillFails({ ...smallest, [key]: smallest[key].filter((_, index) => index !== at) });
    for (let at = smallest.sends.length - 1; at >= 0; at -= 1)
      if ((smallest.sends[at]?.chunks ?? 1) > 1) stillFails({ ...smallest, sends: smallest.sends.map((send, index) => (index === at ? { ...send, chunks: 1 } : send)) });
    for (const peer of smallest.leaving) stillFails({ ...smallest, leaving: smallest.leaving.filter((other) => other !== peer) });
    const used = new Set([...smallest.sends, ...smallest.events].flatMap((item) => ('from' in item ? [item.from, item.to] : [item.who, item.other])));
    if (used.size < smallest.peers.length && used.size > 0) stillFails({ ...smallest, peers: smallest.peers.filter((peer) => used.has(peer)) });
    if (smallest === before || runs > maxRuns) return smallest;
  }
};
