/** A large tree: as quick per file as a small one, and no more memory than the rest. */
import { join } from 'node:path';
import type { Measured } from '../measure/rounds.ts';
import type { CaseOutcome, Group } from '../report/model.ts';
import { amountOf, bytesText } from '../report/units.ts';
import { atLeast, atMost, medianSeconds, peakOf, rowOf, verdictOf, whyNot } from '../report/verdicts.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { bytesOf, filesOf, type TreeShape, writeTree } from '../workplace/sources.ts';
import { type BenchCase, onEachMedium, type Session } from './case.ts';
import { compare, rowsOf } from './compare.ts';

const name = 'many-directories';
/** Others for orientation; scp -r would take minutes a run. */
const contenders = ['peerd', 'peerd durable', 'cp', 'tar | nc', 'rsync daemon'];
const small = ', small tree';
const large = ', large tree';

const titleOf = (shape: TreeShape): string => `${amountOf(filesOf(shape), 'file')} of ${bytesText(shape.fileBytes)} in ${amountOf(shape.directories, 'directory').replace('directorys', 'directories')}`;

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  const { sizes: { smallFiles, manyDirectories }, signal } = session;
  await using scratch = await Scratch.in(medium.directory, name);
  const [few, many] = [join(scratch.directory, 'few'), join(scratch.directory, 'many')];
  await writeTree(few, smallFiles, signal);
  await writeTree(many, manyDirectories, signal);
  const tools = session.tools.filter((tool) => contenders.includes(tool.name));
  const title = titleOf(manyDirectories);
  // The small tree first: what it leaves in memory counts against us.
  const measured = await compare(session, { title, medium, tools, sources: [{ path: few, suffix: small }, { path: many, suffix: large }], runs: session.runs });
  const rows = rowsOf(measured, large);
  const fewRows = rowsOf(measured, small);
  const groupOf = (shape: TreeShape, of: readonly Measured[]): Group => ({ title: titleOf(shape), medium: medium.name, scale: 'files', bytes: bytesOf(shape), files: filesOf(shape), rows: of });
  const fewSeconds = medianSeconds(fewRows, 'peerd');
  const manySeconds = medianSeconds(rows, 'peerd');
  const shared = { case: name, medium: medium.name };
  const peaks = (['sender', 'receiver'] as const).map((end) => {
    const bytes = peakOf(rowOf(rows, 'peerd'), `peerd (${end})`);
    return verdictOf({ ...shared, figure: `peak RSS of the ${end}`, bound: atMost(300), unit: 'MB', value: bytes === undefined ? undefined : bytes / 1e6, ...(bytes === undefined ? { why: whyNot(rows, 'peerd') } : {}) });
  });
  return {
    groups: [{ ...groupOf(manyDirectories, rows), isDrawn: true }, groupOf(smallFiles, fewRows)],
    verdicts: [
      verdictOf({
        ...shared, figure: 'files per second, of the small-files tree', bound: atLeast(0.8),
        value: fewSeconds === undefined || manySeconds === undefined ? undefined : filesOf(manyDirectories) / manySeconds / (filesOf(smallFiles) / fewSeconds),
        ...(fewSeconds === undefined || manySeconds === undefined ? { why: whyNot(fewSeconds === undefined ? fewRows : rows, 'peerd') } : {}),
      }),
      ...peaks,
    ],
    notes: [],
  };
};

export const manyDirectories: BenchCase = { name, summary: '100,000 files of 1 KiB in 1,000 directories; memory of both daemons', run: (session) => onEachMedium(session, (medium) => onMedium(session, medium)) };
