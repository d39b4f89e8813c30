/** Why one entry can't be sent, while the rest can. */
import { PeerdError } from '@peerd/protocol';
import { describeSystemError, errnoCode } from '../system-errors.ts';
import { exhaustion } from '../thread/system-calls.ts';

export type EntryFailureCode = 'source_changed' | 'source_missing' | 'source_unreadable' | 'io_error';

export interface EntryFailure {
  readonly code: EntryFailureCode;
  readonly message: string;
}

/** `CHANGED`: the file is there, but it is not the one that was offered. */
export const changed = 'CHANGED';

const codes: Readonly<Record<string, EntryFailureCode>> = {
  [changed]: 'source_changed',
  // A symbolic link stands where a file or directory was.
  ELOOP: 'source_changed',
  ENOTDIR: 'source_changed',
  ENOENT: 'source_missing',
  EACCES: 'source_unreadable',
  EPERM: 'source_unreadable',
};

const sentences: Readonly<Record<EntryFailureCode, string>> = {
  source_changed: 'the file changed after it was offered',
  source_missing: 'the file was removed after it was offered',
  source_unreadable: 'the file may no longer be read',
  io_error: 'the file could not be read',
};

/** @param problem `CHANGED` or the name of an errno @throws PeerdError `io_error` for what would befall every entry */
export const entryFailureOf = (problem: string): EntryFailure => {
  if (exhaustion.includes(problem)) throw new PeerdError('io_error', `the files to send cannot be opened: ${problem}`, { hint: 'peerd may open too few files, or has too little memory: raise its limits (LimitNOFILE), then send again.' });
  const code = codes[problem] ?? 'io_error';
  return { code, message: code === 'io_error' ? `${sentences[code]}: ${problem}` : sentences[code] };
};

/** @throws errors that don't come from reading the file */
export const entryFailureOfError = (error: unknown): EntryFailure => {
  const problem = errnoCode(error) ?? (error instanceof Error && 'code' in error && error.code === changed ? changed : undefined);
  if (problem === undefined) throw error;
  const failure = entryFailureOf(problem);
  return failure.code === 'io_error' ? { ...failure, message: `${sentences.io_error}: ${describeSystemError(error)}` } : failure;
};
