/** 1 KiB to a peer that is linked: what it costs to send anything at all. */
import { join } from 'node:path';
import type { CaseOutcome } from '../report/model.ts';
import { atMost, ratioVerdict } from '../report/verdicts.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { writeRandomFile } from '../workplace/sources.ts';
import { type BenchCase, onEachMedium, type Session } from './case.ts';
import { compare } from './compare.ts';

const name = 'tiny';
const bytes = 1024;
const contenders = ['peerd', 'peerd durable', 'rsync daemon', 'rsync over ssh', 'scp'];

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  await using scratch = await Scratch.in(medium.directory, name);
  const path = join(scratch.directory, 'file');
  await writeRandomFile(path, bytes);
  const title = 'one file of 1 KiB, from the start of the command to its end';
  const tools = session.tools.filter((tool) => contenders.includes(tool.name));
  const rows = await compare(session, { title, medium, tools, sources: [{ path, suffix: '' }], runs: session.sizes.tinyRuns });
  return {
    groups: [{ title, medium: medium.name, scale: 'seconds', bytes, files: 1, rows }],
    verdicts: [ratioVerdict({ case: name, medium: medium.name, figure: 'time, of scp', bound: atMost(0.5), rows, ours: 'peerd', other: 'scp', of: 'time' })],
    notes: [],
  };
};

export const tiny: BenchCase = { name, summary: '1 KiB to a linked peer, against scp', run: (session) => onEachMedium(session, (medium) => onMedium(session, medium)) };
