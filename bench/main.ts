/** `pnpm bench`: measures ours beside what people would use instead. `pnpm bench --help` tells the rest. */
import { writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { runProgram, UsageError } from '../scripts/command-line.ts';
import type { Session } from './cases/case.ts';
import { type Options, parseOptions } from './options.ts';
import type { CaseOutcome, Report } from './report/model.ts';
import { reportLines } from './report/screen.ts';
import { chartOf } from './report/svg.ts';
import { bytesText } from './report/units.ts';
import { verdictOf, atLeast } from './report/verdicts.ts';
import { findTools } from './tools/index.ts';
import { Medium, type MediumName } from './workplace/medium.ts';

const say = (line: string): void => console.log(line);

/** What is too small for the quick sizes is of no use. */
const leastRoomBytes = 128 * 1024 * 1024;

const openMedia = async (options: Options, stack: AsyncDisposableStack): Promise<Medium[]> => {
  const media: Medium[] = [];
  for (const [name, base] of [['tmpfs', options.tmpfs], ['disk', options.disk]] as const satisfies [MediumName, string | undefined][]) {
    if (base === undefined) continue;
    try {
      const medium = stack.use(await Medium.open(name, base));
      const room = await medium.room();
      say(`${name}: ${base}${name === 'disk' && medium.isMemory ? ' (which is in memory: give --disk DIR)' : ''}, room for ${bytesText(room)}`);
      if (room >= leastRoomBytes) media.push(medium);
      else say(`${name}: left out, ${bytesText(leastRoomBytes)} are needed`);
    } catch (error) {
      say(`${name}: left out: ${(error as Error).message}`);
    }
  }
  if (media.length === 0) throw new UsageError('error: there is no place to work in: give --tmpfs DIR or --disk DIR');
  // One is enough to show that it works.
  return options.quick ? media.slice(0, 1) : media;
};

/** A case that fails is a row of the report, and the others go on. @throws the reason of the signal */
const runCases = async (options: Options, session: Session): Promise<Report['cases']> => {
  const outcomes: (CaseOutcome & { name: string })[] = [];
  for (const one of options.cases) {
    say(`\n${one.name}: ${one.summary}`);
    try {
      outcomes.push({ name: one.name, ...(await one.run(session)) });
    } catch (error) {
      session.signal.throwIfAborted();
      const why = `the case failed: ${(error as Error).message}`;
      say(`  ${why}`);
      outcomes.push({ name: one.name, groups: [], notes: [], verdicts: [verdictOf({ case: one.name, medium: '–', figure: 'all', bound: atLeast(1), value: undefined, why })] });
    }
  }
  return outcomes;
};

/** Whether ours failed anywhere: that others did is told, and no fault of ours. */
const hasFailed = (cases: Report['cases']): boolean =>
  cases.some(({ groups, verdicts }) => groups.some(({ rows }) => rows.some(({ name, failure }) => name.startsWith('peerd') && failure !== undefined)) || verdicts.some(({ why }) => why?.startsWith('the case failed')));

const bench = async (options: Options, signal: AbortSignal): Promise<number> => {
  await using stack = new AsyncDisposableStack();
  const media = await openMedia(options, stack);
  const { tools, missing } = findTools();
  const compared = tools.filter(({ name }) => !options.without.includes(name));
  const startedAt = new Date().toISOString();
  const done = await runCases(options, { media, sizes: options.sizes, runs: options.runs, tools: compared, signal, say });
  const report: Report = {
    startedAt,
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryBytes: totalmem(), kernel: release(), node: process.version },
    options: { runs: options.runs, quick: options.quick, cases: options.cases.map(({ name }) => name) },
    missing: missing.filter(({ tool }) => !options.without.includes(tool)),
    cases: done,
  };
  for (const line of reportLines(report)) say(line);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 1)}\n`);
  const chart = chartOf(report);
  if (options.svg !== undefined) {
    if (chart === undefined) say('no chart: nothing that was measured is drawn');
    else await writeFile(options.svg, chart);
  }
  return hasFailed(done) ? 1 : 0;
};

await runProgram(parseOptions, bench);
