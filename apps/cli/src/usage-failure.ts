/** What commander found wrong with the arguments, as a failure like any other. */
import { escapeText } from '@peerd/protocol/escape';
import type { CommanderError } from 'commander';
import type { Failure } from './client/failure.ts';

export const usageFailure = (error: CommanderError): Failure => {
  if (error.code === 'commander.help') return { code: 'invalid_argument', message: 'no command is given', hint: '`peerctl --help` lists the commands.' };
  const text = error.message.replace(/^error: /, '');
  const suggestion = /\n\((Did you mean [\s\S]*\?)\)$/.exec(text);
  // The rest echoes the arguments.
  const message = escapeText(suggestion === null ? text : text.slice(0, suggestion.index));
  return { code: 'invalid_argument', message, hint: suggestion?.[1] === undefined ? hint(error.code) : escapeText(suggestion[1]) };
};

const hint = (code: string): string => {
  if (code === 'commander.unknownOption') return '`peerctl help COMMAND` lists the options. Put -- before text or paths that begin with a dash.';
  if (code === 'commander.unknownCommand') return '`peerctl --help` lists the commands.';
  return '`peerctl help COMMAND` shows what to write.';
};
