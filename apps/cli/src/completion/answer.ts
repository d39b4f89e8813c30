/**
 * `peerctl __complete SHELL WORDS…`, which the completion scripts call: the first line says which paths the shell adds,
 * each further one is a candidate, with its description behind a tab where the shell shows one. Bash hands over its line
 * as one word. Nothing is written when nothing is known, and never an error.
 */
import type { Command } from 'commander';
import { Client } from '../client/client.ts';
import { socketPath } from '../client/socket-path.ts';
import { machineSurroundings } from '../client/surroundings.ts';
import { parseBashLine, quoteForBash } from './bash-line.ts';
import { complete } from './complete.ts';
import { knowledgeOf } from './knowledge.ts';

/** @param program with all commands */
export const answerCompletion = async (program: Command, [shell = '', ...given]: readonly string[], wordBreaks: string): Promise<string> => {
  const line = shell === 'bash' ? parseBashLine(given[0] ?? '', wordBreaks) : undefined;
  // Without the name of the program.
  const words = (line?.words ?? given).slice(1);
  const client = new Client(() => socketPath(socketOption(words), machineSurroundings()));
  const { candidates, paths } = await complete(program, words, knowledgeOf(client));
  const text = line
    ? candidates.map(({ value }) => quoteForBash(value.slice(line.kept), line.quote))
    : candidates.map(({ value, description }) => `${value}\t${description.replaceAll('\t', ' ')}`);
  return [paths, ...text].join('\n');
};

const socketOption = (words: readonly string[]): string | undefined => {
  const at = words.lastIndexOf('--socket');
  return (at >= 0 && at + 1 < words.length - 1 ? words[at + 1] : undefined) ?? words.findLast((word) => word.startsWith('--socket='))?.slice('--socket='.length);
};
