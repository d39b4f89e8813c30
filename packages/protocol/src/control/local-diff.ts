/** An offer compared with a directory of the receiver, before it is accepted. */
import { z } from 'zod';

/** `same`: a file of that size and time, a directory, a link to the same target. `conflict`: something else has the name. */
export const diffKinds = ['new', 'same', 'conflict'] as const;
export type DiffKind = (typeof diffKinds)[number];

/** Numbers of entries. `counted` is false when only the first ones were looked at. */
export interface LocalDiff {
  new: number;
  same: number;
  conflict: number;
  /** Whatever they are else. */
  risky: number;
  counted: boolean;
}
export const localDiffSchema: z.ZodType<LocalDiff> = z.object({ new: z.int(), same: z.int(), conflict: z.int(), risky: z.int(), counted: z.boolean() });

/** Escaped. Reasons: `hidden`, `executable`, `desktop`, `odd_name`, `case_twin`; there may be more later. */
export interface RiskyPath {
  path: string;
  reasons: string[];
}
export const riskyPathSchema: z.ZodType<RiskyPath> = z.object({ path: z.string(), reasons: z.array(z.string()) });

export interface SpaceView {
  /** Bytes of content. */
  needed: number;
  /** Bytes that the daemon may still write there. */
  free: number;
  /** Whether it would be accepted now. */
  fits: boolean;
}
export const spaceViewSchema: z.ZodType<SpaceView> = z.object({ needed: z.int(), free: z.int(), fits: z.boolean() });
