/** What arrived, checked against what was announced: nothing else gets near the disk. */
import { type Chunk, chunkFrameType, decodeChunk, decodeHole, decodePack, escapeBytes, type Frame, hashBytes, holeFrameType, packFrameType, PeerdError } from '@peerd/protocol';
import { hashInto } from '../hashing.ts';
import type { ChunkFiles } from '../manifest/chunk-files.ts';
import type { IndexedEntry, Manifest } from '../manifest/manifest.ts';
import type { StageClock } from '../stage-clock.ts';
import type { Zeros } from '../zeros.ts';
import { bytesOfChunk } from './chunk-bytes.ts';

export interface Arrival extends Chunk {
  readonly file: IndexedEntry;
  /** It came as a hole: the content is zeros of ours. */
  readonly isHole: boolean;
}

/** @throws PeerdError `malformed_frame` for chunks that were not announced or have another length, `unexpected_message` */
export const arrivalsOf = async (frame: Frame, manifest: Manifest, zeros: Zeros): Promise<Arrival[]> => {
  if (frame.type === holeFrameType) return [await holeOf(decodeHole(frame.payload), manifest, zeros)];
  const isPack = frame.type === packFrameType;
  if (!isPack && frame.type !== chunkFrameType) throw new PeerdError('unexpected_message', `a frame of type ${frame.type} carries no chunks`);
  const arrivals: Arrival[] = [];
  let files: ChunkFiles | undefined;
  for (const { index, hash, content } of isPack ? decodePack(frame.payload) : [decodeChunk(frame.payload)]) {
    if (files?.has(index) !== true) files = await manifest.filesFrom(index);
    const file = files.of(index);
    const length = bytesOfChunk(file, index, manifest.chunkSize);
    if (content.length !== length) throw new PeerdError('malformed_frame', `chunk ${index} has ${content.length} bytes, ${length} were announced`);
    if (isPack && length !== file.entry.size) throw new PeerdError('malformed_frame', `chunk ${index} is packed, but it is not a whole file`);
    arrivals.push({ index, hash, content, file, isHole: false });
  }
  return arrivals;
};

const holeOf = async (index: number, manifest: Manifest, zeros: Zeros): Promise<Arrival> => {
  const file = await manifest.fileOfChunk(index);
  const length = bytesOfChunk(file, index, manifest.chunkSize);
  return { index, file, hash: zeros.hash(length), content: zeros.content(length), isHole: true };
};

/** @throws PeerdError `integrity` */
export const assertHashes = (arrivals: readonly Arrival[], stages: StageClock): void =>
  stages.timeSync('hash', () => {
    for (const { index, content, hash: announced, file, isHole } of arrivals) {
      if (isHole) continue;
      hashInto(content, found, 0);
      if (!found.equals(announced))
        throw new PeerdError('integrity', `chunk ${index} of "${nameOf(file)}" does not have its hash`, { hint: 'The transfer goes on with a new connection; if it happens again, a machine has a memory or disk fault.' });
    }
  });

const found = Buffer.alloc(hashBytes);

/** The name of an entry without the directories above it, for people. */
export const nameOf = ({ entry }: IndexedEntry): string => escapeBytes(entry.path.at(-1) ?? new Uint8Array(0));
