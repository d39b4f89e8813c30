/** One large file of random bytes, to a new name; and over an existing one, where a tool can do that. */
import { join } from 'node:path';
import type { CaseOutcome, Verdict } from '../report/model.ts';
import { bytesText } from '../report/units.ts';
import { atLeast, type Bound, ratioVerdict } from '../report/verdicts.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { writeRandomFile } from '../workplace/sources.ts';
import { type BenchCase, onEachMedium, type Session } from './case.ts';
import { compare, rowsOf } from './compare.ts';

const name = 'one-file';
/** The source, what arrives, and a file that is replaced. */
const copies = 3;
const newName = ', new';
const existing = ', existing';

const targets: readonly { other: string; bound: Bound }[] = [
  { other: 'bare TLS loop', bound: atLeast(0.9) },
  { other: 'nc', bound: atLeast(1) },
  { other: 'rsync daemon', bound: atLeast(1.3) },
  { other: 'scp', bound: atLeast(3) },
];

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  const { sizes, runs, say, signal } = session;
  const bytes = await medium.fitting(sizes.fileBytes, copies);
  const notes = bytes < sizes.fileBytes ? [`${bytesText(sizes.fileBytes)} do not fit ${copies} times on ${medium.name}, the file has ${bytesText(bytes)}`] : [];
  const [why] = notes;
  for (const note of notes) say(note);
  if (bytes === 0) return { groups: [], verdicts: [], notes };
  await using scratch = await Scratch.in(medium.directory, name);
  const path = join(scratch.directory, 'file');
  await writeRandomFile(path, bytes);
  signal.throwIfAborted();
  const tools = session.tools.filter(({ handles }) => handles.includes('file'));
  const title = `one file of ${bytesText(bytes)}`;
  const measured = await compare(session, { title, medium, tools, sources: [{ path, suffix: newName }, { path, suffix: existing, replacesBytes: bytes }], runs });
  const rows = rowsOf(measured, newName);
  const group = { medium: medium.name, scale: 'bytes' as const, bytes, files: 1 };
  const verdicts = targets.map(({ other, bound }): Verdict => ratioVerdict({ case: name, medium: medium.name, figure: `speed, of ${other}`, bound, rows, ours: 'peerd', other, of: 'speed', ...(why === undefined ? {} : { why }) }));
  return {
    groups: [{ ...group, title, rows, isDrawn: true }, { ...group, title: `${title}, over an existing one`, rows: rowsOf(measured, existing) }],
    verdicts,
    notes,
  };
};

export const oneFile: BenchCase = { name, summary: '2 GiB in one file, against everything that is installed', run: (session) => onEachMedium(session, (medium) => onMedium(session, medium)) };
