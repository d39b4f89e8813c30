/** `pnpm faults`: real daemons and what befalls them. `pnpm faults --help` tells the rest. */
import { runProgram, UsageError } from '../../scripts/command-line.ts';
import { possible, runMany } from './many.ts';
import { removeLeftovers } from './leftovers.ts';
import { type Options, parseOptions } from './options.ts';
import type { RunResult } from './run.ts';
import { tableOf } from './table.ts';

const say = (line: string): void => console.log(line);

const replayOf = (seed: string, { fault }: RunResult, number: number): string => `pnpm faults --seed ${seed} --only ${fault} --first ${number} --runs 1`;

const main = async ({ seed, runs, first, only, jobs }: Options, signal: AbortSignal): Promise<number> => {
  for (const what of await removeLeftovers()) say(`left by a run that was killed, removed: ${what}`);
  const { faults, skipped } = await possible(only);
  say(`seed ${seed}, runs ${first} to ${first + runs - 1}`);
  for (const { fault, why } of skipped) say(`left out: ${fault}: ${why}`);
  if (faults.length === 0) throw new UsageError('none of these faults can be made here');
  const results = await runMany({
    seed, runs, first, jobs, faults, signal,
    onRun: (result, number) => {
      const { fault, sent, resumed, wrong, kept } = result;
      say(`${number} ${fault}: ${sent.length} sent, ${resumed} resumed${sent.some(({ failed }) => failed.length > 0) ? `, failed at first: ${sent.flatMap(({ failed }) => failed).join(', ')}` : ''}${wrong.length > 0 ? ', WRONG:' : ''}`);
      for (const what of wrong) say(`    ${what}`);
      if (wrong.length > 0) say(`    again: ${replayOf(seed, result, number)}\n    kept: ${kept ?? 'nothing'}`);
    },
  });
  say('');
  for (const line of tableOf(results, faults.map(({ name }) => name))) say(line);
  const wrong = results.filter((result) => result.wrong.length > 0).length;
  say(`\nseed ${seed}: ${results.length} runs${results.length < runs ? ` (of ${runs}; the others were interrupted)` : ''}, ${wrong === 0 ? 'nothing wrong' : `${wrong} wrong`}`);
  return wrong === 0 ? 0 : 1;
};

await runProgram(parseOptions, main);
