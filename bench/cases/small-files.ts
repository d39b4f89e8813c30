/** Many small files, against everything that can copy a directory. */
import { join } from 'node:path';
import type { CaseOutcome } from '../report/model.ts';
import { amountOf, bytesText } from '../report/units.ts';
import { atLeast, ratioVerdict } from '../report/verdicts.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { bytesOf, filesOf, writeTree } from '../workplace/sources.ts';
import { type BenchCase, onEachMedium, type Session } from './case.ts';
import { compare } from './compare.ts';

const name = 'small-files';

const targets = [
  { other: 'rsync daemon', bound: atLeast(1), aim: false },
  { other: 'scp', bound: atLeast(10), aim: false },
  { other: 'tar | nc', bound: atLeast(1), aim: true },
] as const;

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  const shape = session.sizes.smallFiles;
  await using scratch = await Scratch.in(medium.directory, name);
  const path = join(scratch.directory, 'tree');
  await writeTree(path, shape, session.signal);
  const title = `${amountOf(filesOf(shape), 'file')} of ${bytesText(shape.fileBytes)}`;
  const tools = session.tools.filter(({ handles }) => handles.includes('tree'));
  const rows = await compare(session, { title, medium, tools, sources: [{ path, suffix: '' }], runs: session.runs });
  return {
    groups: [{ title, medium: medium.name, scale: 'files', bytes: bytesOf(shape), files: filesOf(shape), rows, isDrawn: true }],
    verdicts: targets.map(({ other, bound, aim }) =>
      ratioVerdict({ case: name, medium: medium.name, figure: `speed, of ${other === 'scp' ? 'scp -r' : other}${aim ? ' (an aim)' : ''}`, bound, rows, ours: 'peerd', other, of: 'speed' })),
    notes: [],
  };
};

export const smallFiles: BenchCase = { name, summary: '10,000 files of 4 KiB, against everything that is installed', run: (session) => onEachMedium(session, (medium) => onMedium(session, medium)) };
