/** What the operating system refused, as an error of the registry. */
import { getSystemErrorMessage } from 'node:util';
import { PeerdError } from '@peerd/protocol';

/** `ENOENT` and so on, or `undefined` for an error that is not the operating system's. */
export const errnoCode = (error: unknown): string | undefined => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
};

/** `ENOSPC (no space left on device)`. Paths of the original message are left out: they are not what a person typed. */
export const describeSystemError = (error: unknown): string => {
  const code = errnoCode(error);
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  if (code !== undefined && typeof errno === 'number') return `${code} (${getSystemErrorMessage(errno) ?? 'unknown error'})`;
  return code ?? (error instanceof Error ? error.message : String(error));
};

const noSpaceCodes = new Set(['ENOSPC', 'EDQUOT']);

/**
 * @param doing what was tried, such as `writing "a.txt"`; escaped already
 * @returns what is not the operating system's, such as the reason of a signal, as it is
 */
export const ioError = (cause: unknown, doing: string): Error => {
  if (errnoCode(cause) === undefined) return cause instanceof Error ? cause : new Error(String(cause));
  const message = `${doing} failed: ${describeSystemError(cause)}`;
  return noSpaceCodes.has(errnoCode(cause) ?? '')
    ? new PeerdError('no_space', message, { cause, hint: 'Free some space or raise the quota; the transfer then goes on where it stopped.' })
    : new PeerdError('io_error', message, { cause, hint: 'Look at the permissions and the health of that file system, then try again.' });
};
