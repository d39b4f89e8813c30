/** POST /v1/transfers, GET /v1/transfers, GET /v1/transfers/:id, POST /v1/transfers/:id/cancel (`:id` also a unique prefix) */
import { z } from 'zod';
import { globProblem } from '../glob/glob.ts';
import { transferIdSchema } from '../ids.ts';
import { type ConflictPolicy, conflictPolicies } from '../messages/offer.ts';
import { type FileView, fileViewSchema, priorities, type Priority, type TransferSummary, transferSummarySchema } from './common.ts';
import { type LocalDiff, localDiffSchema, type SpaceView, spaceViewSchema } from './local-diff.ts';
import { type Trust, trustLevels } from './peers.ts';

const compressSettings = ['auto', 'off'] as const;
export type CompressSetting = (typeof compressSettings)[number];

export interface SpoolSource {
  /** As POST /v1/spool answered. */
  id: string;
  /** Absent: it has none, such as standard input. */
  path?: string;
}

export interface SendRequest {
  /** What the person typed: one per receiver. */
  peers: string[];
  /** Absolute paths. At least one, here or in `spools`. */
  paths: string[];
  /** Content that was uploaded (POST /v1/spool), and the path that it comes from if it has one. */
  spools?: SpoolSource[];
  /** The name of the top-level entry, for a single path. */
  name?: string;
  /** Globs; see `peerctl help send`. */
  exclude?: string[];
  include?: string[];
  /** The same key to the same peer is the same transfer, unless that failed, was rejected or cancelled. */
  key?: string;
  /** Which content goes first when not all can flow at once. */
  priority?: Priority;
  /** What to do about what the daemon may not read: leave it out and say so (default), or refuse the request with `source_unreadable`. */
  unreadable?: 'skip' | 'refuse';
  conflict?: ConflictPolicy;
  note?: string;
  /** Bytes per second that this transfer takes at most, to each peer. */
  limitRate?: number;
  /** `auto` (default): content is compressed where that makes it arrive sooner. */
  compress?: CompressSetting;
}
const globSchema = z
  .string()
  .max(1_000)
  .refine((glob) => globProblem(glob) === undefined, { error: ({ input }) => `must be a usable pattern: ${globProblem(String(input)) ?? ''}` });
const globsSchema = z.array(globSchema).max(1_000).exactOptional();

export const sendRequestSchema: z.ZodType<SendRequest> = z.object({
  peers: z.array(z.string().min(1)).min(1).max(64),
  paths: z.array(z.string().startsWith('/')).max(10_000),
  spools: z.array(z.object({ id: transferIdSchema, path: z.string().max(8_192).exactOptional() })).max(10_000).exactOptional(),
  name: z.string().max(1_024).exactOptional(),
  exclude: globsSchema,
  include: globsSchema,
  key: z.string().min(1).max(128).exactOptional(),
  priority: z.enum(priorities).exactOptional(),
  unreadable: z.enum(['skip', 'refuse']).exactOptional(),
  conflict: z.enum(conflictPolicies).exactOptional(),
  note: z.string().max(1_024).exactOptional(),
  limitRate: z.int().min(1_024).exactOptional(),
  compress: z.enum(compressSettings).exactOptional(),
});

export interface SkippedEntry {
  path: string;
  code: string;
  message: string;
}

export const skippedEntrySchema: z.ZodType<SkippedEntry> = z.object({ path: z.string(), code: z.string(), message: z.string() });

export interface SendResponse {
  group?: string;
  transfers: TransferSummary[];
  /** Special files and escaping links that are left out; at most 100 are listed. */
  skipped: SkippedEntry[];
  warnings: string[];
  /** Entries that the patterns left out; a directory counts once. Absent: none. */
  leftOut?: number;
  /** Ids of those `transfers` that an earlier request with the same key has made. */
  repeated?: string[];
}
export const sendResponseSchema: z.ZodType<SendResponse> = z.object({
  group: z.string().exactOptional(),
  transfers: z.array(transferSummarySchema),
  skipped: z.array(skippedEntrySchema),
  warnings: z.array(z.string()),
  leftOut: z.int().exactOptional(),
  repeated: z.array(z.string()).exactOptional(),
});

export interface TransfersResponse {
  transfers: TransferSummary[];
}
export const transfersResponseSchema: z.ZodType<TransfersResponse> = z.object({ transfers: z.array(transferSummarySchema) });

/** Cumulative over all links of the transfer, counted at the receiver; `sent` at the sender. */
export interface ChunkCounters {
  sent: number;
  received: number;
  /** Verified before a re-link and not resent. */
  reused: number;
  /** Journalled, re-verified, yet written again: always 0 unless something is broken. */
  rewritten: number;
  chunkSize: number;
}

/** What travelled on the data connections of a transfer, as this side saw it, over all links. */
export interface Traffic {
  /** Of all bulk frames, before encryption. */
  wireBytes: number;
  /** Frames that travelled compressed, and how much shorter they were for it. */
  compressed: number;
  savedBytes: number;
  /** Frames that the sender has tried to compress; counted there only. */
  tried: number;
}
export const noTraffic: Readonly<Traffic> = { wireBytes: 0, compressed: 0, savedBytes: 0, tried: 0 };

/**
 * Milliseconds in which at least one operation of the stage was under way; stages overlap. `write` is the receiver's disk at
 * both ends, `socket` the time in which the sender could not write and the receiver had nothing to read, `limit` the time in
 * which the sender held back for a rate limit, `compress` that of compressing or expanding, `paused` the time in which a side held the transfer, `waiting` a person.
 */
export interface StageTimes {
  read: number;
  hash: number;
  socket: number;
  write: number;
  limit: number;
  compress: number;
  paused: number;
  waiting: number;
}
export const stageTimesSchema: z.ZodType<StageTimes> = z.object({
  read: z.number(), hash: z.number(), socket: z.number(), write: z.number(), limit: z.number(), compress: z.number(), paused: z.number(), waiting: z.number(),
});
export const noStageTimes: Readonly<StageTimes> = { read: 0, hash: 0, socket: 0, write: 0, limit: 0, compress: 0, paused: 0, waiting: 0 };

/** Where an offer that waits for a decision would go, and what that would mean there. */
export interface OfferOutlook {
  trust: Trust;
  /** What becomes of names that exist. */
  conflict: ConflictPolicy;
  /** Absolute, escaped. */
  destination: string;
  diff: LocalDiff;
  space: SpaceView;
}
const offerOutlookSchema: z.ZodType<OfferOutlook> = z.object({
  trust: z.enum(trustLevels), conflict: z.enum(conflictPolicies), destination: z.string(), diff: localDiffSchema, space: spaceViewSchema,
});

export interface TransferDetail extends TransferSummary {
  /** Only while it waits for a decision here. */
  offer?: OfferOutlook;
  files: FileView[];
  /** Entries in all; `files` is one page of them. */
  filesTotal: number;
  filesOffset: number;
  stages: StageTimes;
  chunks: ChunkCounters;
  traffic: Traffic;
  /** What the sender was told about compression; known there only. */
  compress?: CompressSetting;
  /** Bytes per second, when the sender was told a limit; known there only. */
  limitRate?: number;
  /** Final absolute paths of the top-level entries, escaped, once done. */
  savedAs: string[];
  receipt: { receivedAt: number; durability: 'transfer' | 'none'; contentRoot: string; verified: boolean } | null;
}
export const transferDetailSchema: z.ZodType<TransferDetail> = z.intersection(transferSummarySchema, z.object({
  offer: offerOutlookSchema.exactOptional(),
  files: z.array(fileViewSchema),
  filesTotal: z.int(),
  filesOffset: z.int(),
  stages: stageTimesSchema,
  chunks: z.object({ sent: z.int(), received: z.int(), reused: z.int(), rewritten: z.int(), chunkSize: z.int() }),
  traffic: z.object({ wireBytes: z.int(), compressed: z.int(), savedBytes: z.int(), tried: z.int() }),
  compress: z.enum(compressSettings).exactOptional(),
  limitRate: z.int().exactOptional(),
  savedAs: z.array(z.string()),
  receipt: z
    .object({ receivedAt: z.int(), durability: z.enum(['transfer', 'none']), contentRoot: z.string(), verified: z.boolean() })
    .nullable(),
}));

/** Query of GET /v1/transfers/:id: one page of `files`. */
export interface ShowQuery {
  /** Absolute directory with which an offer is compared instead of the download directory. */
  to?: string;
  offset?: number;
  limit?: number;
}
export const showQuerySchema: z.ZodType<ShowQuery> = z.object({
  to: z.string().startsWith('/').exactOptional(),
  offset: z.coerce.number().int().min(0).exactOptional(),
  limit: z.coerce.number().int().min(1).max(10_000).exactOptional(),
});

