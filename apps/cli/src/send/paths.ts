import { lstatSync } from 'node:fs';
import { escapeText } from '@peerd/protocol/escape';
import { PeerdError } from '@peerd/protocol/errors';
import { absolutePath } from '../commands/usage.ts';

/** The paths of one request: its body has a bound. */
const maxPaths = 10_000;

/**
 * What to send, as absolute paths. Whether the content can be read is for the daemon to find out.
 *
 * @throws PeerdError `invalid_argument`, `source_missing`
 */
export const sourcePaths = (paths: readonly string[]): string[] => {
  if (paths.length > maxPaths)
    throw new PeerdError('invalid_argument', `${paths.length} paths are more than the ${maxPaths} that one send may name`, { hint: 'Send the directory that holds them.' });
  return paths.map((path) => {
    if (path === '-') throw new PeerdError('invalid_argument', 'standard input is sent alone', { hint: 'Send it with a command of its own; a file that is named "-" is written ./-' });
    const absolute = absolutePath(path, 'Send the directory that holds it: inside of a directory every name arrives as it is.');
    try {
      lstatSync(absolute);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR')
        throw new PeerdError('source_missing', `there is no ${escapeText(path)}`, { cause, hint: absolute === path ? 'Check the spelling.' : `Relative paths count from ${escapeText(process.cwd())}.` });
      if (code === 'ENAMETOOLONG') throw new PeerdError('source_missing', `the path ${escapeText(path.slice(0, 60))}… is longer than paths can be`, { cause, hint: 'Check the arguments.' });
      // EACCES and others: the daemon may be allowed more than this process.
    }
    return absolute;
  });
};
