/** `pnpm soak`: full load for a while, and whether anything grows. */
import { commandLine, parse, positive, runProgram, whole } from '../../scripts/command-line.ts';
import { isHistory, soak } from './soak.ts';

interface Options {
  readonly minutes: number;
  readonly samples: number;
}

const summary =
  'A rendezvous and three peers under full load: transfers and messages both ways, links that end, a peer that comes and goes. ' +
  'Samples memory, descriptors, timers and other resources of Node, rows of each table and files, and says what grows.';

const parseOptions = (args: readonly string[]): Options | undefined => {
  const command = commandLine('soak', summary, 'Exit codes: 0 nothing grows; 1 something does, or went wrong; 2 usage; 130 interrupted.')
    .option('--minutes <N>', 'how long', positive, 30)
    .option('--samples <N>', 'in all', whole(3), 60);
  return parse<Options>(command, args)?.values;
};

const main = async ({ minutes, samples }: Options, signal: AbortSignal): Promise<number> => {
  const ms = minutes * 60_000;
  const began = performance.now();
  const { deeds, growth } = await soak({
    ms, sampleEveryMs: ms / samples, signal,
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
  return growing === 0 ? 0 : 1;
};

await runProgram(parseOptions, main);
