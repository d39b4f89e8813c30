/** Command lines of the programs of a developer: `pnpm bench`, `pnpm faults` and their kin. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** What was asked for can't be done; the message says why. */
export class UsageError extends Error {}

/** A program without options yet. @param after what its help says at the end */
export const commandLine = (name: string, summary: string, after: string): Command =>
  new Command(`pnpm ${name}`)
    .description(summary)
    .helpOption('-h, --help', 'show this help')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ helpWidth: 120 })
    .addHelpText('after', `\n${after}`);

/** @returns the options and what stands beside them; `undefined` after help was shown. @throws UsageError */
export const parse = <Values extends object>(command: Command, args: readonly string[]): { readonly values: Values; readonly names: readonly string[] } | undefined => {
  try {
    // pnpm passes on the dashes that separate its own options.
    command.parse(args[0] === '--' ? args.slice(1) : [...args], { from: 'user' });
    return { values: command.opts<Values>(), names: command.args };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(`${error.message}\nhint: See \`${command.name()} --help\`.`, { cause: error });
  }
};

/** Reads a whole number. */
export const whole = (least: number) => (text: string): number => {
  if (!/^\d{1,15}$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`It is no whole number from ${least} on.`);
  return Number(text);
};

/** Reads a number above 0. */
export const positive = (text: string): number => {
  const number = Number(text);
  if (!(number > 0 && Number.isFinite(number))) throw new InvalidArgumentError('It is no number above 0.');
  return number;
};

/** Reads names between commas, each of which has to be known. @param what one of them is */
export const someOf = <Thing>(what: string, known: readonly Thing[], nameOf: (thing: Thing) => string) => (text: string): Thing[] => {
  const names = text.split(',');
  const unknown = names.find((name) => !known.some((thing) => nameOf(thing) === name));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no ${what} "${unknown}"; there are ${known.map(nameOf).join('; ')}.`);
  return known.filter((thing) => names.includes(nameOf(thing)));
};

/** An option that takes one of these. */
export const choice = (flags: string, description: string, values: readonly string[]): Option => new Option(flags, description).choices(values);

/**
 * Runs a program with the arguments of this process. Exit codes: 0 after help, 2 when the arguments are wrong, 130 after a signal,
 * else what `main` says. The first SIGINT, SIGTERM or SIGHUP aborts the signal, and `main` ends once everything that it made is
 * gone. Later ones change nothing: a signal often comes twice, from the terminal and from pnpm.
 *
 * @param parseOptions `undefined`: help was shown
 */
export const runProgram = async <Options>(parseOptions: (args: readonly string[]) => Options | undefined, main: (options: Options, signal: AbortSignal) => Promise<number>): Promise<void> => {
  const interrupted = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupted.signal.aborted) return;
    console.error('\nstopping, and cleaning up');
    interrupted.abort(new Error(`interrupted by ${signal}`));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  try {
    const options = parseOptions(process.argv.slice(2));
    process.exitCode = options === undefined ? 0 : await main(options, interrupted.signal);
  } catch (error) {
    // Ctrl-C in a terminal ends what was started, too, and what is asked of it fails.
    if (!interrupted.signal.aborted) {
      console.error(error instanceof UsageError ? error.message : error);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    }
  }
  if (interrupted.signal.aborted) process.exitCode = 130;
};
