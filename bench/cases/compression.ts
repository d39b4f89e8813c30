/** Compression, left to itself against switched off: over a slow line, and where there is no line that it could spare. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assertSame } from '../measure/correctness.ts';
import { type Contender, inRounds, type Measured } from '../measure/rounds.ts';
import type { CaseOutcome } from '../report/model.ts';
import { bytesText, secondsText } from '../report/units.ts';
import { atLeast, type Bound, ratioVerdict } from '../report/verdicts.ts';
import { PeerPair } from '../tools/peer-pair.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { writeLogFile, writeRandomFile } from '../workplace/sources.ts';
import type { BenchCase, Session } from './case.ts';

const name = 'compression';
const auto = 'peerd, auto';
const off = 'peerd, off';
/** The source, and what arrives. */
const copies = 2;
const slow = '50M';

interface Work {
  readonly title: string;
  readonly bytes: number;
  readonly write: (path: string, bytes: number) => Promise<void>;
  readonly args: readonly string[];
  readonly bound: Bound;
}

const worksOf = ({ sizes }: Session): Work[] => [
  { title: `a log over a line of ${slow}iB/s`, bytes: sizes.slowBytes, write: writeLogFile, args: ['--limit-rate', slow], bound: atLeast(2) },
  { title: 'a log over loopback', bytes: sizes.fileBytes, write: writeLogFile, args: [], bound: atLeast(0.95) },
  { title: 'random bytes over loopback', bytes: sizes.fileBytes, write: writeRandomFile, args: [], bound: atLeast(0.95) },
];

const measure = async (session: Session, pair: PeerPair, path: string, args: readonly string[]): Promise<Measured[]> => {
  const arrived = join(pair.destination, basename(path));
  const contender = (label: string, ...more: readonly string[]): Contender => ({
    name: label,
    run: (signal) => pair.send(path, signal, [...args, ...more]),
    after: async (signal) => {
      await assertSame(path, arrived, signal);
      await rm(arrived);
    },
  });
  return inRounds([contender(auto), contender(off, '--compress', 'off')], {
    runs: session.runs, runLimitMs: session.sizes.runLimitMs, signal: session.signal,
    onRun: (label, round, outcome) => session.say(`  ${round}  ${label.padEnd(24)} ${outcome instanceof Error ? outcome.message : secondsText(outcome.seconds)}`),
  });
};

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  await using world = await Scratch.in(medium.directory, 'world');
  await using pair = await PeerPair.open(world.directory, 'none', session.signal);
  const outcome = { groups: [] as CaseOutcome['groups'][number][], verdicts: [] as CaseOutcome['verdicts'][number][], notes: [] as string[] };
  for (const { title, bytes: wanted, write, args, bound } of worksOf(session)) {
    const bytes = await medium.fitting(wanted, copies);
    if (bytes === 0) {
      outcome.notes.push(`${title} on ${medium.name}: there is no room`);
      continue;
    }
    await using scratch = await Scratch.in(medium.directory, name);
    const path = join(scratch.directory, 'file');
    await write(path, bytes);
    session.say(`${bytesText(bytes)} of ${title}, ${medium.name}`);
    const rows = await measure(session, pair, path, args);
    outcome.groups.push({ title: `${bytesText(bytes)} of ${title}`, medium: medium.name, scale: 'bytes', bytes, files: 1, rows });
    outcome.verdicts.push(ratioVerdict({ case: name, medium: medium.name, figure: `${title}: speed, of compression off`, bound, rows, ours: auto, other: off, of: 'speed' }));
  }
  return outcome;
};

/** What it saves does not depend on the medium. */
export const compression: BenchCase = {
  name,
  summary: 'compression left to itself, against none: a slow line, and loopback',
  run: async (session) => {
    const [medium] = session.media;
    return medium ? onMedium(session, medium) : { groups: [], verdicts: [], notes: [] };
  },
};
