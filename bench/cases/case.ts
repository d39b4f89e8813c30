/** A case: one kind of work, on each medium, and the targets that it decides. */
import type { Measured } from '../measure/rounds.ts';
import type { CaseOutcome } from '../report/model.ts';
import type { Sizes } from '../sizes.ts';
import type { Tool } from '../tools/tool.ts';
import type { Medium } from '../workplace/medium.ts';

export interface Session {
  readonly media: readonly Medium[];
  readonly sizes: Sizes;
  readonly runs: number;
  /** Those that are installed. */
  readonly tools: readonly Tool[];
  readonly signal: AbortSignal;
  /** A line for the person who waits. */
  readonly say: (line: string) => void;
}

export interface BenchCase {
  readonly name: string;
  readonly summary: string;
  run(session: Session): Promise<CaseOutcome>;
}

/** A case that does the same on each medium. */
export const onEachMedium = async (session: Session, run: (medium: Medium) => Promise<CaseOutcome>): Promise<CaseOutcome> => {
  const outcomes: CaseOutcome[] = [];
  for (const medium of session.media) outcomes.push(await run(medium));
  return {
    groups: outcomes.flatMap(({ groups }) => groups),
    verdicts: outcomes.flatMap(({ verdicts }) => verdicts),
    notes: outcomes.flatMap(({ notes }) => notes),
  };
};

/** Of one contender whose samples were taken elsewhere. */
export const measuredOnce = (name: string, seconds: readonly number[]): Measured => ({ name, samples: seconds.map((one) => ({ seconds: one, cpuSeconds: undefined, peaks: [] })) });
