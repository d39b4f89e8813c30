/** Every way in which a command fails, as one shape: for stderr, for `--json` and for the exit code. */
import { type ErrorCode, errorCodes, isErrorCode, PeerdError } from '@peerd/protocol/errors';

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details?: Record<string, unknown>;
}

/** The daemon's error document, with a code that this peerctl may be too old to know. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

export const failureOf = (error: unknown): Failure => {
  if (error instanceof DaemonError) return error.failure;
  if (error instanceof PeerdError)
    return { code: error.code, message: error.message, hint: error.hint ?? null, ...(error.details === undefined ? {} : { details: error.details }) };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'internal', message, hint: 'This is a defect of peerctl; the lines above help to mend it.' };
};

export const exitCodeOf = (code: string): number => (isErrorCode(code) ? errorCodes[code].exit : 1);

export const hasCode = (error: unknown, ...codes: readonly ErrorCode[]): boolean => {
  const { code } = failureOf(error);
  return codes.some((candidate) => candidate === code);
};
