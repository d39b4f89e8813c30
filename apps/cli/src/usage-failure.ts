/** What commander found wrong with the arguments, as a failure like any other. */
import { escapeText } from '@peerd/protocol/escape';
import type { CommanderError } from 'commander';
import type { Failure } from './client/failure.ts';

/** @param command whose arguments they are, as far as that is known */
export const usageFailure = (error: CommanderError, command: string | undefined): Failure => {
  if (error.code === 'commander.help') return { code: 'invalid_argument', message: 'no command is given', hint: '`peerctl --help` lists the commands.' };
  const text = error.message.replace(/^error: /, '');
  const suggestion = /\n\((Did you mean [\s\S]*\?)\)$/.exec(text);
  // The rest echoes the arguments.
  const message = escapeText(suggestion === null ? text : text.slice(0, suggestion.index));
  return { code: 'invalid_argument', message, hint: suggestion?.[1] === undefined ? hint(error.code, command) : escapeText(suggestion[1]) };
};

const hint = (code: string, command = 'COMMAND'): string => {
  if (code === 'commander.unknownOption') return `\`peerctl help ${command}\` lists the options. Put -- before text or paths that begin with a dash.`;
  if (code === 'commander.unknownCommand') return '`peerctl --help` lists the commands.';
  return `\`peerctl help ${command}\` shows what to write.`;
};
