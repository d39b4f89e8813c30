/** A file that was sent before, with a few chunks changed: how many bytes travel. */
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { TransferDetail } from '@peerd/protocol';
import { assertSame } from '../measure/correctness.ts';
import type { CaseOutcome } from '../report/model.ts';
import { bytesText, secondsText } from '../report/units.ts';
import { atMost, verdictOf } from '../report/verdicts.ts';
import { PeerPair } from '../tools/peer-pair.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { writeRandomFile } from '../workplace/sources.ts';
import type { BenchCase, Session } from './case.ts';

const name = 'delta';
const MiB = 1024 * 1024;
const changedShare = 0.01;
/** The file, what arrived before, and what arrives now. */
const copies = 3;

/** One byte of each changed chunk: evenly spread. @returns how many */
const changeChunks = async (path: string, bytes: number): Promise<number> => {
  const chunks = Math.ceil(bytes / MiB);
  const changed = Math.max(1, Math.floor(chunks * changedShare));
  await using file = await open(path, 'r+');
  for (let index = 0; index < changed; index += 1) await file.write(randomBytes(64), 0, 64, Math.floor((index * chunks) / changed) * MiB + 4_096);
  return changed;
};

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  const { sizes, signal, say } = session;
  const bytes = await medium.fitting(sizes.fileBytes, copies);
  if (bytes < MiB) return { groups: [], verdicts: [], notes: [`${name} on ${medium.name}: there is no room`] };
  await using scratch = await Scratch.in(medium.directory, name);
  await using world = await Scratch.in(medium.directory, 'world');
  await using pair = await PeerPair.open(world.directory, 'none', signal);
  const file = join(scratch.directory, 'file');
  await writeRandomFile(file, bytes);
  const first = await pair.send(file, signal);
  const changed = await changeChunks(file, bytes);
  await medium.settle(signal);
  const sent = await pair.send(file, signal, ['--conflict', 'overwrite']);
  await assertSame(file, join(pair.destination, sent.savedAs), signal);
  const { chunks } = await pair.sender.json<TransferDetail>('show', sent.id);
  const moved = Math.min(bytes, chunks.sent * chunks.chunkSize);
  const note = `${medium.name}: ${bytesText(moved)} of ${bytesText(bytes)} travelled after a change of ${changed} chunks`;
  say(`delta, ${note}`);
  say(`  first ${secondsText(first.seconds)}, again ${secondsText(sent.seconds)}`);
  const group = { medium: medium.name, scale: 'bytes' as const, bytes, files: 1 };
  return {
    groups: [{ ...group, title: `${bytesText(bytes)} sent again with 1 % of its chunks changed`, rows: [{ name: 'peerd, first', samples: [first] }, { name: 'peerd, again', samples: [sent] }] }],
    verdicts: [
      verdictOf({
        case: name, medium: medium.name, figure: 'bytes that travel, of the file', bound: atMost(3), unit: '%', value: (moved / bytes) * 100,
        ...(moved === bytes ? { why: 'everything travels again: there is no delta' } : bytes < sizes.fileBytes ? { why: `the file has only ${bytesText(bytes)}` } : {}),
      }),
    ],
    notes: [note],
  };
};

/** What travels does not depend on the medium. */
export const delta: BenchCase = {
  name,
  summary: 'a file sent again with 1 % of its chunks changed: bytes that travel',
  run: async (session) => {
    const [medium] = session.media;
    return medium ? onMedium(session, medium) : { groups: [], verdicts: [], notes: [] };
  },
};
