/** From the arguments to the exit code. */
import { CommanderError } from 'commander';
import { Client } from './client/client.ts';
import { exitCodeOf, failureOf, hasCode } from './client/failure.ts';
import { socketPath } from './client/socket-path.ts';
import { machineSurroundings } from './client/surroundings.ts';
import type { Run } from './context.ts';
import { Interrupts } from './interrupts.ts';
import { createProgram, type GlobalOptions } from './program.ts';
import { createOutput } from './ui/output.ts';
import { printFailure } from './ui/print-failure.ts';
import { usageFailure } from './usage-failure.ts';

const usageExit = 2;
/** The first word of what completion scripts ask; for nobody else. */
const completionWord = '__complete';

/** @param argv the arguments behind the program's name */
export const runPeerctl = async (argv: readonly string[]): Promise<number> => {
  if (argv[0] === completionWord) return await completeLine(argv.slice(1));
  let exitCode = 0;
  const run: Run =
    (action) =>
    async (...args) => {
      const { socket, json = false } = program.opts<GlobalOptions>();
      const output = createOutput(json);
      using interrupts = new Interrupts();
      const end = new AbortController();
      const signal = AbortSignal.any([interrupts.signal, end.signal]);
      const client = new Client(() => socketPath(socket, machineSurroundings()));
      try {
        exitCode = (await action({ client, output, interrupts, signal }, ...args)) ?? 0;
      } catch (error) {
        // What a signal interrupted may fail in its own way; the first cause wins.
        const failure = failureOf(interrupts.signal.aborted && !hasCode(error, 'interrupted') ? interrupts.signal.reason : error);
        if (json || failure.code !== 'interrupted' || failure.message !== 'interrupted') printFailure(output, failure);
        exitCode = exitCodeOf(failure.code);
      } finally {
        // A connection that a command left open would keep the process alive.
        end.abort();
      }
    };
  const program = createProgram(run, argv[firstWord(argv)]);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const json = wantsJson(argv);
    if (json || error.code !== 'commander.help') printFailure(createOutput(json), usageFailure(error, program.commands.find((command) => command.name() === argv[firstWord(argv)])?.name()));
    return usageExit;
  }
  return exitCode;
};

const completeLine = async (words: readonly string[]): Promise<number> => {
  const { answerCompletion } = await import('./completion/answer.ts');
  const program = createProgram(() => async () => {});
  process.stdout.write(`${await answerCompletion(program, words, process.env['PEERCTL_WORDBREAKS'] ?? '')}\n`);
  return 0;
};

/** Where the command stands: behind the global options. */
const firstWord = (argv: readonly string[]): number => {
  let index = 0;
  for (; index < argv.length; index += 1) {
    if (argv[index] === '--socket') index += 1;
    else if (argv[index]?.startsWith('-') !== true) break;
  }
  return index;
};

/** Arguments that could not be parsed may still say how errors are wanted. */
const wantsJson = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
};
