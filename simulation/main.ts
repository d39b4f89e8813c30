/** `pnpm simulate`: the state machines in a world that goes wrong. `pnpm simulate --help` tells the rest. */
import { runProgram } from '../scripts/command-line.ts';
import { scheduleLines, summaryLines, tableLines } from './command/report.ts';
import { runAll } from './command/workers.ts';
import { type Options, parseOptions } from './options.ts';
import { runSchedule } from './schedule/run.ts';
import { makeSchedule } from './schedule/schedule.ts';
import { shrink } from './schedule/shrink.ts';

const say = (line: string): void => console.log(line);
const progressEverySeconds = 10;

const replay = ({ seed, run = 0, only }: Options): boolean => {
  const schedule = makeSchedule(seed, run, only);
  for (const line of scheduleLines(schedule)) say(line);
  const { violation, outcomes } = runSchedule(schedule, say);
  say(violation ? `broken: ${violation.message}` : `held; transfers: ${outcomes.join(', ')}`);
  return violation === undefined;
};

const simulate = async (options: Options, signal: AbortSignal): Promise<boolean> => {
  const { seed, only } = options;
  say(`seed ${seed}`);
  const begin = performance.now();
  let shown = 0;
  const seconds = (): number => (performance.now() - begin) / 1_000;
  const tally = await runAll(options, signal, ({ schedules }) => {
    if (seconds() < shown + progressEverySeconds) return;
    shown = seconds();
    say(`${schedules} schedules, ${Math.round(schedules / shown)}/s`);
  });
  for (const line of [...summaryLines(tally, seconds()), ...tableLines(tally)]) say(line);
  for (const { run, message, invariant } of tally.failures) say(`\nbroken in run ${run}: ${message}\nreplay: pnpm simulate --seed ${seed} --run ${run}${only ? ` --only ${only}` : ''}  [${invariant}]`);
  const [first] = tally.failures;
  if (!first) {
    say('every promise held');
    return true;
  }
  say('\nthe first one, shrunk:');
  const smallest = shrink(makeSchedule(seed, first.run, only), first.invariant);
  for (const line of scheduleLines(smallest)) say(line);
  runSchedule(smallest, say);
  return false;
};

await runProgram(parseOptions, async (options, signal) => ((options.run === undefined ? await simulate(options, signal) : replay(options)) ? 0 : 1));
