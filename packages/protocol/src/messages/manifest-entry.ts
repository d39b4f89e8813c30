/**
 * Entries of a manifest page. Not a frame: pages travel inside `manifest-page`.
 *
 * Order: depth first, a directory before what is in it, siblings ascending by their bytes. So a reader needs only the
 * directories above the current entry to tell a missing parent or a duplicate.
 */
import { z } from 'zod';
import { manifestPageMaxEntries, maxPathComponents, maxSymlinkTargetBytes } from '../limits.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { maxBytesSchema, parseBody, uintSchema } from './define.ts';

export type EntryType = 'file' | 'directory' | 'symlink';

export interface ManifestEntry {
  /** Path components from the top-level name down, as bytes. */
  path: Uint8Array[];
  type: EntryType;
  /** Bytes of a file; 0 for others. */
  size: number;
  /** Permission bits, at most 0o777. */
  mode: number;
  /** Seconds since 1970 (may be negative), and nanoseconds 0–999,999,999 on top. */
  mtime: [number, number];
  /** Symlinks only: the target as bytes. */
  target?: Uint8Array;
}

const manifestEntrySchema: z.ZodType<ManifestEntry> = z.object({
  path: z.array(maxBytesSchema(4_096)).min(1).max(maxPathComponents),
  type: z.enum(['file', 'directory', 'symlink']),
  size: uintSchema,
  mode: z.int().min(0).max(0o777),
  mtime: z.tuple([z.int(), z.int().min(0).max(999_999_999)]),
  target: maxBytesSchema(maxSymlinkTargetBytes).exactOptional(),
});

export const manifestPageSchema: z.ZodType<ManifestEntry[]> = z.array(manifestEntrySchema).min(1).max(manifestPageMaxEntries);

export const encodeManifestPage = (entries: readonly ManifestEntry[]): Buffer => encodeCbor(entries);

/** Shape only; what paths are allowed is decided by the path policy. @throws PeerdError `malformed_frame` */
export const decodeManifestPage = (page: Uint8Array): ManifestEntry[] => parseBody('manifest page', manifestPageSchema, decodeCbor(page));
