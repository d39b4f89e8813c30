/**
 * Roots from a journal: a file's root is BLAKE3-256 over its chunk hashes, 32 zero bytes for a failed file, and the
 * content root is BLAKE3-256 over offer root ‖ the root of each file in manifest order.
 */
import { hashBytes } from '@peerd/protocol';
import { emptyFileRoot, failedFileRoot, hashInto, RunningHash } from '../hashing.ts';
import { chunksOf } from '../manifest/layout.ts';
import type { IndexedEntry, Manifest } from '../manifest/manifest.ts';
import { ChunkJournal, JournalReader } from './chunk-journal.ts';

const absent = Buffer.alloc(hashBytes);

interface FileRoot {
  readonly root: Buffer;
  /** Chunks without a record; the root means nothing then. */
  readonly missing: number;
}

const rootOf = async ({ entry, firstChunk }: IndexedEntry, chunkSize: number, reader: JournalReader): Promise<FileRoot> => {
  const end = firstChunk + chunksOf(entry.size, chunkSize);
  if (end === firstChunk) return { root: emptyFileRoot, missing: 0 };
  const hasher = new RunningHash();
  let missing = 0;
  for (let chunk = firstChunk; chunk < end; ) {
    const records = await reader.take(chunk, end - chunk);
    for (let at = 0; at < records.length; at += hashBytes) if (absent.compare(records, at, at + hashBytes) === 0) missing += 1;
    hasher.update(records);
    chunk += records.length / hashBytes;
  }
  return { root: hasher.digest(), missing };
};

/** Roots that are added at once. */
const rootsAtOnce = 1_024;

export const contentRootOf = async (
  manifest: Manifest,
  journal: ChunkJournal,
  isFailed: (entry: number) => boolean,
): Promise<{ contentRoot: Buffer; missing: number }> => {
  const reader = new JournalReader(journal);
  const hasher = new RunningHash().update(manifest.summary.offerRoot);
  const roots = Buffer.alloc(rootsAtOnce * hashBytes);
  let used = 0;
  let missing = 0;
  for (let page = 0; page < manifest.pages; page += 1)
    for (const indexed of (await manifest.decoded(page)).entries) {
      if (indexed.entry.type !== 'file') continue;
      if (used === roots.length) {
        hasher.update(roots);
        used = 0;
      }
      const { firstChunk, entry: { size } } = indexed;
      if (isFailed(indexed.index)) failedFileRoot.copy(roots, used);
      else if (size === 0 || size > manifest.chunkSize) {
        const file = await rootOf(indexed, manifest.chunkSize, reader);
        file.root.copy(roots, used);
        missing += file.missing;
      } else {
        const record = reader.has(firstChunk) ? reader.record(firstChunk) : await reader.take(firstChunk, 1);
        if (absent.equals(record)) missing += 1;
        hashInto(record, roots, used);
      }
      used += hashBytes;
    }
  return { contentRoot: hasher.update(roots.subarray(0, used)).digest(), missing };
};

/** `undefined` while chunks are missing, or when the entry is no file. */
export const fileRootIn = async (manifest: Manifest, journal: ChunkJournal, entry: number): Promise<Buffer | undefined> => {
  const indexed = await manifest.entry(entry);
  if (indexed.entry.type !== 'file') return undefined;
  const { root, missing } = await rootOf(indexed, manifest.chunkSize, new JournalReader(journal));
  return missing === 0 ? root : undefined;
};

/** The root of one file from the journal of either side. @throws PeerdError `not_found`, `io_error` */
export const fileRootOf = async (options: { manifest: Manifest; journalPath: string; entry: number }): Promise<Buffer | undefined> => {
  const { chunks, offerRoot } = options.manifest.summary;
  const journal = await ChunkJournal.openToRead({ path: options.journalPath, chunks, offerRoot });
  if (journal === undefined) return undefined;
  try {
    return await fileRootIn(options.manifest, journal, options.entry);
  } finally {
    await journal.close();
  }
};
