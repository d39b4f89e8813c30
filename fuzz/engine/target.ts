/** One decoder or machine under test. */
import type { Random } from './random.ts';

export interface FuzzTarget {
  readonly name: string;
  /** Inputs that are right, from which the search begins beside those of the corpus. */
  readonly seeds: readonly Buffer[];
  /** Throws when a promise of the code is broken. What the code may throw by its documentation is caught here. */
  readonly run: (input: Buffer) => void | Promise<void>;
  /** Changes an input in terms of its format; used for half of the inputs. */
  readonly mutate?: (input: Buffer, random: Random) => Buffer;
  /** Mutants in the tests, where 1,000 take too long. */
  readonly shortRuns?: number;
  /** Inputs are cut to this size; `defaultMaxBytes` where nothing is said. */
  readonly maxBytes?: number;
}

export const defaultMaxBytes = 4_096;
