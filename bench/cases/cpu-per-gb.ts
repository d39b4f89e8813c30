/** CPU seconds per GB, both ends added, against the bare loop plus hashing once at each end. */
import { join } from 'node:path';
import type { CaseOutcome } from '../report/model.ts';
import { bytesText } from '../report/units.ts';
import { atMost, medianCpuSeconds, rowOf, verdictOf, whyNot } from '../report/verdicts.ts';
import { blake3InMemory } from '../tools/blake3.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { writeRandomFile } from '../workplace/sources.ts';
import { type BenchCase, onEachMedium, type Session } from './case.ts';
import { compare } from './compare.ts';

const name = 'cpu-per-gb';
const contenders = ['peerd', 'bare TLS loop'];
const copies = 2;

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  const { sizes, signal, say, runs } = session;
  const bytes = await medium.fitting(sizes.fileBytes, copies);
  if (bytes === 0) return { groups: [], verdicts: [], notes: [`${name} on ${medium.name}: there is no room`] };
  await using scratch = await Scratch.in(medium.directory, name);
  const path = join(scratch.directory, 'file');
  await writeRandomFile(path, bytes);
  const title = `CPU for one file of ${bytesText(bytes)}`;
  const rows = await compare(session, { title, medium, tools: session.tools.filter((tool) => contenders.includes(tool.name)), sources: [{ path, suffix: '' }], runs });
  const perGb = (cpuSeconds: number | undefined, of: number): number | undefined => (cpuSeconds === undefined ? undefined : cpuSeconds / (of / 1e9));
  const hashing = await blake3InMemory(sizes.blake3Bytes, signal);
  const [ours, loop] = contenders.map((contender) => perGb(medianCpuSeconds(rowOf(rows, contender)), bytes));
  const hash = (hashing.cpuSeconds / hashing.bytes) * 1e9;
  const allowed = loop === undefined ? undefined : 1.15 * loop + 2 * hash;
  const told = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(2));
  const note = `${medium.name}: ${told(ours)} CPU seconds per GB; the bare loop ${told(loop)}, BLAKE3 ${hash.toFixed(2)}; 1.15 × loop + 2 × BLAKE3 = ${told(allowed)}`;
  say(`  ${note}`);
  const value = ours === undefined || allowed === undefined ? undefined : ours / allowed;
  return {
    groups: [{ title, medium: medium.name, scale: 'bytes', bytes, files: 1, rows }],
    verdicts: [
      verdictOf({
        case: name, medium: medium.name, figure: 'CPU per GB, of 1.15 × loop + 2 × BLAKE3', bound: atMost(1), value,
        ...(value === undefined ? { why: rows.every(({ samples }) => samples.length > 0) ? 'there is no GNU time here (apt-get install time)' : whyNot(rows, ours === undefined ? 'peerd' : 'bare TLS loop') } : bytes < sizes.fileBytes ? { why: `the file has only ${bytesText(bytes)}` } : {}),
      }),
    ],
    notes: [note],
  };
};

export const cpuPerGb: BenchCase = { name, summary: 'CPU seconds per GB, against the bare loop and BLAKE3', run: (session) => onEachMedium(session, (medium) => onMedium(session, medium)) };
