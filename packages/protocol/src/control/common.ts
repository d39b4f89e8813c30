/** Shapes that several control routes share. Fields are only ever added (design: scripts rely on them). */
import { z } from 'zod';
import { type PeerId, peerIdSchema, type TransferId, transferIdSchema } from '../ids.ts';
import { type DiffKind, diffKinds } from './local-diff.ts';

/** The error document: last line of stderr with `--json`, and the body of every control response that is not 2xx. */
export interface ErrorDocument {
  error: { code: string; message: string; hint: string | null; details?: Record<string, unknown> };
}
export const errorDocumentSchema: z.ZodType<ErrorDocument> = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable(), details: z.record(z.string(), z.unknown()).exactOptional() }),
});

export interface PeerReference {
  id: PeerId;
  /** Escaped for display. */
  name: string;
}
export const peerReferenceSchema: z.ZodType<PeerReference> = z.object({ id: peerIdSchema, name: z.string() });

export const transferStates = [
  'queued', 'connecting', 'offered', 'accepted', 'transferring', 'paused', 'verifying', 'done', 'rejected', 'cancelled', 'failed',
] as const;
export type TransferState = (typeof transferStates)[number];
export const isFinalState = (state: TransferState): boolean => state === 'done' || state === 'rejected' || state === 'cancelled' || state === 'failed';

export const priorities = ['low', 'normal', 'high'] as const;
export type Priority = (typeof priorities)[number];

export interface TransferSummary {
  id: TransferId;
  group?: string;
  direction: 'send' | 'receive';
  peer: PeerReference;
  state: TransferState;
  /** With `paused`: which of the two sides hold it. */
  pausedBy?: ('sender' | 'receiver')[];
  entries: number;
  bytes: number;
  bytesDone: number;
  note?: string;
  /** Entries that stayed as they were at the receiver (policy `skip`), once it is over; absent: none. */
  kept?: number;
  /** Of what is sent; absent: normal. */
  priority?: Priority;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
  error?: { code: string; message: string };
}
export const transferSummarySchema: z.ZodType<TransferSummary> = z.object({
  id: transferIdSchema,
  group: z.string().exactOptional(),
  direction: z.enum(['send', 'receive']),
  peer: peerReferenceSchema,
  state: z.enum(transferStates),
  pausedBy: z.array(z.enum(['sender', 'receiver'])).exactOptional(),
  entries: z.int(),
  bytes: z.int(),
  bytesDone: z.int(),
  note: z.string().exactOptional(),
  kept: z.int().exactOptional(),
  priority: z.enum(priorities).exactOptional(),
  createdAt: z.int(),
  updatedAt: z.int(),
  error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
});

/** A file as it is shown: escaped path, and the bytes in base64 where they are not valid UTF-8. */
export interface FileView {
  path: string;
  pathBase64?: string;
  type: 'file' | 'directory' | 'symlink';
  bytes: number;
  state: 'waiting' | 'transferring' | 'done' | 'failed' | 'skipped';
  /** BLAKE3-256 over the file's chunk hashes, hexadecimal, once known. */
  root?: string;
  /** Absolute final path (escaped) of a top-level entry. */
  savedAs?: string;
  /** Symlinks only, escaped. */
  target?: string;
  error?: { code: string; message: string };
  /** Of an offer that waits for a decision: compared with where it would go. */
  diff?: DiffKind;
  /** Of such an offer: why one should look at it; absent: no reason. As in `RiskyPath`. */
  risky?: string[];
}
export const fileViewSchema: z.ZodType<FileView> = z.object({
  path: z.string(),
  pathBase64: z.string().exactOptional(),
  type: z.enum(['file', 'directory', 'symlink']),
  bytes: z.int(),
  state: z.enum(['waiting', 'transferring', 'done', 'failed', 'skipped']),
  root: z.string().exactOptional(),
  savedAs: z.string().exactOptional(),
  target: z.string().exactOptional(),
  error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
  diff: z.enum(diffKinds).exactOptional(),
  risky: z.array(z.string()).exactOptional(),
});

/** One page of a list. */
export interface PageQuery {
  offset?: number;
  limit?: number;
}
export const pageQueryFields: Record<'offset' | 'limit', z.ZodExactOptional<z.ZodType<number>>> = {
  offset: z.exactOptional(z.coerce.number().int().min(0)),
  limit: z.exactOptional(z.coerce.number().int().min(1).max(1_000)),
};
export const pageQuerySchema: z.ZodType<PageQuery> = z.object(pageQueryFields);
