/** `pnpm abuse`: what offenders cost, and what honest peers notice of them. */
import { MiB } from '@peerd/protocol';
import { choice, commandLine, parse, positive, runProgram } from '../../../scripts/command-line.ts';
import { attacks } from './attacks.ts';
import { measure, percentile } from './measure.ts';
import { Stage } from './stage.ts';

interface Options {
  readonly seconds: number;
  readonly only?: string;
}

const parseOptions = (args: readonly string[]): Options | undefined => {
  const command = commandLine(
    'abuse',
    'A rendezvous, a peer and an honest peer of it; others attack the first two, one attack after the other.',
    'Exit codes: 0 each offender heard what is documented; 1 one did not; 2 usage; 130 interrupted.',
  )
    .option('--seconds <N>', 'how long each', positive, 10)
    .addOption(choice('--only <NAME>', 'this attack', attacks.map(({ name }) => name)));
  return parse<Options>(command, args)?.values;
};

const main = async ({ seconds, only }: Options, interrupted: AbortSignal): Promise<number> => {
  await using stage = await Stage.create();
  console.log('| attack | RSS before → peak (MiB) | honest p50 / p99 (ms) | status p50 / p99 (ms) | the offender | counted |\n|---|---:|---:|---:|---|---:|');
  const times = (ascending: readonly number[]): string => `${percentile(ascending, 0.5).toFixed(0)} / ${percentile(ascending, 0.99).toFixed(0)}`;
  let code = 0;
  for (const attack of attacks.filter(({ name }) => only === undefined || name === only)) {
    const { rss, honest, status, told, counted } = await measure(stage, attack, AbortSignal.any([interrupted, AbortSignal.timeout(Math.max(seconds * 1_000, attack.leastMs ?? 0))]));
    if (interrupted.aborted) break;
    console.log(`| ${attack.name} | ${(rss.before / MiB).toFixed(0)} → ${(rss.peak / MiB).toFixed(0)} | ${times(honest)} | ${times(status)} | ${told} | ${counted} ${attack.metric} |`);
    if (!attack.told.test(told)) code = 1;
  }
  return code;
};

await runProgram(parseOptions, main);
