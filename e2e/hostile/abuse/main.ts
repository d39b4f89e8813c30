/** `pnpm abuse`: what offenders cost, and what honest peers notice of them. */
import { parseArgs } from 'node:util';
import { MiB } from '@peerd/protocol';
import { interruption } from '../../harness/interruption.ts';
import type { Attack } from './attack.ts';
import { attacks } from './attacks.ts';
import { measure, percentile } from './measure.ts';
import { Stage } from './stage.ts';

const help = `Usage: pnpm abuse [OPTION]...

A rendezvous, a peer and an honest peer of it; others attack the first two, one attack after the other.

  --seconds N    how long each (default: 10)
  --only NAME    this one
  -h, --help     this text

Attacks: ${attacks.map(({ name }) => name).join(', ')}

Exit codes: 0 each offender heard what is documented; 1 one did not; 2 usage; 130 interrupted.
`;

const interrupted = interruption();

const run = async (chosen: readonly Attack[], seconds: number): Promise<number> => {
  await using stage = await Stage.create();
  console.log('| attack | RSS before → peak (MiB) | honest p50 / p99 (ms) | status p50 / p99 (ms) | the offender | counted |\n|---|---:|---:|---:|---|---:|');
  const times = (ascending: readonly number[]): string => `${percentile(ascending, 0.5).toFixed(0)} / ${percentile(ascending, 0.99).toFixed(0)}`;
  let code = 0;
  for (const attack of chosen) {
    const { rss, honest, status, told, counted } = await measure(stage, attack, AbortSignal.any([interrupted, AbortSignal.timeout(Math.max(seconds * 1_000, attack.leastMs ?? 0))]));
    if (interrupted.aborted) return 130;
    console.log(`| ${attack.name} | ${(rss.before / MiB).toFixed(0)} → ${(rss.peak / MiB).toFixed(0)} | ${times(honest)} | ${times(status)} | ${told} | ${attack.metric ? `${counted} ${attack.metric}` : ''} |`);
    if (!attack.told.test(told)) code = 1;
  }
  return code;
};

const { values } = parseArgs({
  args: process.argv.slice(process.argv[2] === '--' ? 3 : 2),
  options: { seconds: { type: 'string', default: '10' }, only: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
});
const chosen = attacks.filter(({ name }) => values.only === undefined || name === values.only);
const seconds = Number(values.seconds);
if (values.help) console.log(help);
else if (!(seconds > 0) || chosen.length === 0) {
  console.error(seconds > 0 ? `no attack is called ${values.only}; there are: ${attacks.map(({ name }) => name).join(', ')}` : '--seconds is a number above 0');
  process.exitCode = 2;
} else {
  process.exitCode = await run(chosen, seconds).catch((error: unknown) => {
    // Ctrl-C in a terminal ends the daemons, too, and what is asked of them fails.
    if (interrupted.aborted) return 130;
    throw error;
  });
}
