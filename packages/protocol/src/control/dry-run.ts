/** POST /v1/transfers/dry-run: the body is that of POST /v1/transfers */
import { z } from 'zod';
import { type PeerReference, peerReferenceSchema } from './common.ts';
import { type SkippedEntry, skippedEntrySchema } from './transfers.ts';

/** An entry that would be sent. */
export interface DryRunFile {
  path: string;
  /** Where the path is not valid UTF-8. */
  pathBase64?: string;
  type: 'file' | 'directory' | 'symlink';
  bytes: number;
}

/**
 * What a receiver says. `compared`: with what is where it would put the content. `asks`: a person decides there, so it tells
 * nothing. `away`: no link. `silent`: no answer in time, as of a peerd that does not know the question. `unable`: see `message`.
 */
const dryRunAnswers = ['compared', 'asks', 'away', 'silent', 'unable'] as const;
type DryRunAnswer = (typeof dryRunAnswers)[number];

export interface DryRunPeer {
  peer: PeerReference;
  answer: DryRunAnswer;
  /** With `compared`. `counted` is false when only the first entries were looked at. */
  diff?: { new: number; same: number; conflict: number; counted: boolean };
  /** With `compared`: paths as in `files`, at most 100 of each. */
  same?: string[];
  conflicts?: string[];
  /** With `compared`: whether there is room for it. */
  fits?: boolean;
  /** With `unable` and `away`, escaped. */
  message?: string;
}

export interface DryRunResponse {
  entries: number;
  bytes: number;
  /** The first 1,000. */
  files: DryRunFile[];
  skipped: SkippedEntry[];
  peers: DryRunPeer[];
  warnings: string[];
}
export const dryRunResponseSchema: z.ZodType<DryRunResponse> = z.object({
  entries: z.int(),
  bytes: z.int(),
  files: z.array(z.object({ path: z.string(), pathBase64: z.string().exactOptional(), type: z.enum(['file', 'directory', 'symlink']), bytes: z.int() })),
  skipped: z.array(skippedEntrySchema),
  peers: z.array(
    z.object({
      peer: peerReferenceSchema,
      answer: z.enum(dryRunAnswers),
      diff: z.object({ new: z.int(), same: z.int(), conflict: z.int(), counted: z.boolean() }).exactOptional(),
      same: z.array(z.string()).exactOptional(),
      conflicts: z.array(z.string()).exactOptional(),
      fits: z.boolean().exactOptional(),
      message: z.string().exactOptional(),
    }),
  ),
  warnings: z.array(z.string()),
});
