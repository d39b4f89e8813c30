/** What the person who starts the search may choose. */
import { commandLine, parse, positive, UsageError, whole } from '../scripts/command-line.ts';
import type { FuzzTarget } from './engine/target.ts';
import { targets } from './targets/index.ts';

export interface Options {
  readonly targets: readonly FuzzTarget[];
  readonly seconds: number;
  readonly seed: number;
  readonly keep: boolean;
  readonly replay: string | undefined;
}

const summary =
  'Searches each target for inputs that break it, guided by coverage. ' +
  'Findings are stored, made as small as they can be, in fuzz/crashes/TARGET.';

const after = `Targets: ${targets.map(({ name }) => name).join(', ')}

Exit codes: 0 nothing was found; 1 something was: what, and how to run it again is printed; 2 usage; 130 interrupted.`;

const named = (name: string): FuzzTarget => {
  const target = targets.find((candidate) => candidate.name === name);
  if (!target) throw new UsageError(`error: there is no target "${name}"; there are ${targets.map((candidate) => candidate.name).join('; ')}`);
  return target;
};

/** @returns `undefined`: help was shown. @throws UsageError */
export const parseOptions = (args: readonly string[]): Options | undefined => {
  const command = commandLine('fuzz', summary, after)
    .argument('[TARGET...]', 'these only')
    .option('--seconds <N>', 'how long each', positive, 60)
    .option('--seed <N>', 'begin with the inputs of an earlier search; one that is chosen anew is printed', whole(0))
    .option('--keep', 'replace the corpus of each target by the fewest inputs that enter all code that was entered')
    .option('--replay <FILE>', 'run one stored input of one target, and throw what it throws');
  const parsed = parse<Pick<Options, 'seconds'> & Partial<Options>>(command, args);
  if (!parsed) return undefined;
  const { seconds, keep = false, replay, seed = Date.now() % 1_000_000_000 } = parsed.values;
  if (replay !== undefined && parsed.names.length !== 1) throw new UsageError('error: --replay takes the one TARGET that the input is for');
  return { targets: parsed.names.length === 0 ? targets : parsed.names.map(named), seconds, seed, keep, replay };
};
