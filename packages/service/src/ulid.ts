/** ULIDs (https://github.com/ulid/spec) in lower case: ids that sort by the time at which they were made. */
import { monotonicFactory } from 'ulid';

const next = monotonicFactory();

/** Ids of one process ascend even within a millisecond, and when the clock is set back. */
export const newUlid = (now: number = Date.now()): string => next(now).toLowerCase();
