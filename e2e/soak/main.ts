/** `pnpm soak`: full load for a while, and whether anything grows. */
import { parseArgs } from 'node:util';
import { interruption } from '../harness/interruption.ts';
import { isHistory, soak } from './soak.ts';

const help = `Usage: pnpm soak [OPTION]...

A rendezvous and three peers under full load: transfers and messages both ways, links that end, a peer that comes and goes.
Samples memory, descriptors, timers and other resources of Node, rows of each table and files, and says what grows.

  --minutes N     how long (default: 30)
  --samples N     in all (default: 60)
  -h, --help      this text

Exit codes: 0 nothing grows; 1 something does, or went wrong; 2 usage; 130 interrupted.
`;

const interrupted = interruption();

const run = async (minutes: number, samples: number): Promise<number> => {
  const ms = minutes * 60_000;
  const began = performance.now();
  const { deeds, growth } = await soak({
    ms, sampleEveryMs: ms / samples, signal: interrupted,
    onSample: (atMs, sample, { transfers, messages, disconnects, departures }) => {
      const memory = Object.entries(sample).map(([daemon, figures]) => `${daemon} ${figures['rss (MiB)']?.toFixed(0)} MiB, ${figures['descriptors']} fds`).join('; ');
      console.log(`${(atMs / 60_000).toFixed(1)} min: ${transfers} transfers, ${messages} messages, ${disconnects} links ended, ${departures} departures; ${memory}`);
    },
  });
  console.log(`\n| daemon | figure | from | to | |\n|---|---|---:|---:|---|`);
  for (const [daemon, figures] of Object.entries(growth))
    for (const { figure, from, to, grows } of figures) console.log(`| ${daemon} | ${figure} | ${from.toFixed(1)} | ${to.toFixed(1)} | ${grows ? 'GROWS' : isHistory(figure) ? 'beyond what was done' : ''} |`);
  const growing = Object.values(growth).flat().filter(({ grows }) => grows).length;
  console.log(`\n${((performance.now() - began) / 60_000).toFixed(1)} minutes: ${deeds.transfers} transfers, ${deeds.messages} messages, ${deeds.disconnects} links ended, ${deeds.departures} departures; ${growing === 0 ? 'nothing grows' : `${growing} figures grow`}`);
  if (interrupted.aborted) return 130;
  return growing === 0 ? 0 : 1;
};

const { values } = parseArgs({
  args: process.argv.slice(process.argv[2] === '--' ? 3 : 2),
  options: { minutes: { type: 'string', default: '30' }, samples: { type: 'string', default: '60' }, help: { type: 'boolean', short: 'h', default: false } },
});
const [minutes, samples] = [Number(values.minutes), Number(values.samples)];
if (values.help) console.log(help);
else if (!(minutes > 0) || !Number.isInteger(samples) || samples < 3) {
  console.error('--minutes is a number above 0, --samples a whole number from 3 on');
  process.exitCode = 2;
} else {
  process.exitCode = await run(minutes, samples).catch((error: unknown) => {
    // Ctrl-C in a terminal ends the daemons, too, and what is asked of them fails.
    if (interrupted.aborted) return 130;
    throw error;
  });
}
