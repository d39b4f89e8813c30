/** What arrived, checked against what was announced: nothing else gets near the disk. */
import { type Chunk, chunkFrameType, decodeChunk, decodePack, escapeBytes, type Frame, packFrameType, PeerdError } from '@peerd/protocol';
import { hash } from '../hashing.ts';
import type { IndexedEntry, Manifest } from '../manifest/manifest.ts';
import type { StageClock } from '../stage-clock.ts';

export interface Arrival extends Chunk {
  readonly file: IndexedEntry;
}

/** @throws PeerdError `malformed_frame` for chunks that were not announced or have another length, `unexpected_message` */
export const arrivalsOf = async (frame: Frame, manifest: Manifest): Promise<Arrival[]> => {
  const isPack = frame.type === packFrameType;
  if (!isPack && frame.type !== chunkFrameType) throw new PeerdError('unexpected_message', `a frame of type ${frame.type} carries no chunks`);
  const arrivals: Arrival[] = [];
  for (const chunk of isPack ? decodePack(frame.payload) : [decodeChunk(frame.payload)]) {
    const file = await manifest.fileOfChunk(chunk.index);
    const offset = (chunk.index - file.firstChunk) * manifest.chunkSize;
    const length = Math.min(manifest.chunkSize, file.entry.size - offset);
    if (chunk.content.length !== length) throw new PeerdError('malformed_frame', `chunk ${chunk.index} has ${chunk.content.length} bytes, ${length} were announced`);
    if (isPack && length !== file.entry.size) throw new PeerdError('malformed_frame', `chunk ${chunk.index} is packed, but it is not a whole file`);
    arrivals.push({ ...chunk, file });
  }
  return arrivals;
};

/** @throws PeerdError `integrity` */
export const assertHashes = (arrivals: readonly Arrival[], stages: StageClock): void =>
  stages.timeSync('hash', () => {
    for (const { index, content, hash: announced, file } of arrivals)
      if (!hash(content).equals(announced))
        throw new PeerdError('integrity', `chunk ${index} of "${nameOf(file)}" does not have its hash`, { hint: 'The transfer goes on with a new connection; if it happens again, a machine has a memory or disk fault.' });
  });

/** The name of an entry without the directories above it, for people. */
export const nameOf = ({ entry }: IndexedEntry): string => escapeBytes(entry.path.at(-1) ?? new Uint8Array(0));
