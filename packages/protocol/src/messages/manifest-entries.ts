/** Pages of manifest entries: read and written quickly in their usual form, by CBOR and schema in any other. */
import { z } from 'zod';
import { manifestPageMaxEntries, maxPathComponents, maxSymlinkTargetBytes } from '../limits.ts';
import { decodeCanonical, encodeCanonical, maxWireComponentBytes } from './canonical-entries.ts';
import { decodeCbor } from './cbor.ts';
import { maxBytesSchema, parseBody, uintSchema } from './define.ts';
import type { ManifestEntry } from './manifest-entry.ts';

const manifestEntrySchema: z.ZodType<ManifestEntry> = z.object({
  path: z.array(maxBytesSchema(maxWireComponentBytes)).min(1).max(maxPathComponents),
  type: z.enum(['file', 'directory', 'symlink']),
  size: uintSchema,
  mode: z.int().min(0).max(0o777),
  mtime: z.tuple([z.int(), z.int().min(0).max(999_999_999)]),
  target: maxBytesSchema(maxSymlinkTargetBytes).exactOptional(),
});

export const manifestPageSchema: z.ZodType<ManifestEntry[]> = z.array(manifestEntrySchema).min(1).max(manifestPageMaxEntries);

export const encodeManifestPage = (entries: readonly ManifestEntry[]): Buffer => encodeCanonical(entries);

/**
 * Shape only; what paths are allowed is decided by the path policy. Components and targets are Buffers, which may be views of the page.
 *
 * @throws PeerdError `malformed_frame`
 */
export const decodeManifestPage = (page: Uint8Array): ManifestEntry[] => decodeCanonical(page) ?? decodeInGeneral(page);

/** Another order of the keys, fields of a later version, or an error that has to be named. */
export const decodeInGeneral = (page: Uint8Array): ManifestEntry[] =>
  parseBody('manifest page', manifestPageSchema, decodeCbor(page)).map((entry) => ({ ...entry, path: entry.path.map(asBuffer), ...(entry.target ? { target: asBuffer(entry.target) } : {}) }));

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
