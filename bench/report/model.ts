/** What a bench run found. This is what `--json` writes. */
import type { Measured } from '../measure/rounds.ts';
import type { MissingTool } from '../tools/index.ts';

/** How a group is read: bytes or files per second, seconds, or single requests in milliseconds. */
type Scale = 'bytes' | 'files' | 'seconds' | 'requests';

/** Contenders that did the same work, alternating. */
export interface Group {
  readonly title: string;
  readonly medium: string;
  readonly scale: Scale;
  /** Of one run. */
  readonly bytes: number;
  readonly files: number;
  readonly rows: readonly Measured[];
  /** It belongs into the chart. */
  readonly isDrawn?: boolean;
}

/** One target of the project. */
export interface Verdict {
  readonly case: string;
  readonly medium: string;
  /** What is compared with what. */
  readonly figure: string;
  readonly target: string;
  /** Undefined: it could not be measured, `why` tells. */
  readonly value: number | undefined;
  readonly unit: string;
  readonly met: boolean | undefined;
  readonly why?: string;
}

export interface CaseOutcome {
  readonly groups: readonly Group[];
  readonly verdicts: readonly Verdict[];
  readonly notes: readonly string[];
}

export interface Report {
  readonly startedAt: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryBytes: number; readonly kernel: string; readonly node: string };
  readonly options: { readonly runs: number; readonly quick: boolean; readonly cases: readonly string[] };
  readonly missing: readonly MissingTool[];
  readonly cases: readonly ({ readonly name: string } & CaseOutcome)[];
}
