/** What several commands say about their arguments. */
import { resolve } from 'node:path';
import { escapeText } from '@peerd/protocol/escape';
import { PeerdError } from '@peerd/protocol/errors';
import { InvalidArgumentError } from 'commander';

/** A command longer than this has its explanation in the line below. */
const maxExampleWidth = 44;

export const examples = (...lines: readonly (readonly [command: string, what: string])[]): string => {
  const width = Math.max(...lines.map(([command]) => (command.length > maxExampleWidth ? 0 : command.length)));
  return `\nExamples:\n${lines.map(([command, what]) => (command.length > maxExampleWidth ? `  ${command}\n  ${' '.repeat(width)}  ${what}` : `  ${command.padEnd(width)}  ${what}`)).join('\n')}`;
};

export const peerHelp = '\nPEER is a name, NAME~IDPREFIX, an id or the beginning of one (see `peerctl peers`).';
export const idHelp = '\nID is the id of a transfer or any beginning of it that no other transfer has.';

/** Entries of a list in one page, as the daemon has it by default. */
export const pageLimit = 100;
export const pageHelp = '\nThe list comes in pages: --offset and --limit choose one.';

/** An argument that must not be empty. */
export const nonEmpty = (text: string): string => {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.');
  return text;
};

export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };

/**
 * A path from argv as the daemon needs it: absolute.
 *
 * @throws PeerdError `invalid_argument`: bytes that are not UTF-8 were already lost when the path reached this process
 */
export const absolutePath = (path: string, hint: string): string => {
  if (path === '') throw new PeerdError('invalid_argument', 'a path is empty', { hint: 'Write `.` for the working directory.' });
  const absolute = resolve(path);
  if (!absolute.includes('\u{fffd}')) return absolute;
  const where = path.includes('\u{fffd}') ? `the name "${escapeText(path)}"` : 'the name of the working directory';
  throw new PeerdError('invalid_argument', `${where} is not valid UTF-8, so it cannot be passed on the command line exactly`, { hint });
};
