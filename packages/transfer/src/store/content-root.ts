/**
 * Roots from a journal: a file's root is BLAKE3-256 over its chunk hashes, 32 zero bytes for a failed file, and the
 * content root is BLAKE3-256 over offer root ‖ the root of each file in manifest order.
 */
import { hashBytes } from '@peerd/protocol';
import { emptyFileRoot, failedFileRoot, RunningHash } from '../hashing.ts';
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

export const contentRootOf = async (
  manifest: Manifest,
  journal: ChunkJournal,
  isFailed: (entry: number) => boolean,
): Promise<{ contentRoot: Buffer; missing: number }> => {
  const reader = new JournalReader(journal);
  const hasher = new RunningHash().update(manifest.summary.offerRoot);
  let missing = 0;
  for await (const indexed of manifest.entries()) {
    if (indexed.entry.type !== 'file') continue;
    const file = isFailed(indexed.index) ? { root: failedFileRoot, missing: 0 } : await rootOf(indexed, manifest.chunkSize, reader);
    hasher.update(file.root);
    missing += file.missing;
  }
  return { contentRoot: hasher.digest(), missing };
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
