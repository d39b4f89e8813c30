/** `pnpm simulate`: the state machines in a world that goes wrong. `pnpm simulate --help` tells the rest. */
import { scheduleLines, summaryLines, tableLines } from './command/report.ts';
import { runAll } from './command/workers.ts';
import { help, type Options, parseOptions, UsageError } from './options.ts';
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

const simulate = async (options: Options): Promise<boolean> => {
  const { seed, only } = options;
  say(`seed ${seed}`);
  const begin = performance.now();
  let shown = 0;
  const seconds = (): number => (performance.now() - begin) / 1_000;
  const tally = await runAll(options, ({ schedules }) => {
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

try {
  const options = parseOptions(process.argv.slice(2), Date.now() % 1_000_000);
  if (!options) say(help);
  else process.exitCode = (options.run === undefined ? await simulate(options) : replay(options)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${help}`);
  process.exitCode = 2;
}
