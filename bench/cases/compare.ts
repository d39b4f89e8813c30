/** The same work for several tools, in alternating rounds, each arrival checked and taken away again. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assertSame } from '../measure/correctness.ts';
import { type Contender, inRounds, type Measured } from '../measure/rounds.ts';
import { amountOf, secondsText } from '../report/units.ts';
import type { OpenTool, Tool } from '../tools/tool.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { writeRandomFile } from '../workplace/sources.ts';
import type { Session } from './case.ts';

export interface Comparison {
  readonly title: string;
  readonly medium: Medium;
  readonly tools: readonly Tool[];
  /** What each tool copies; several sources make several contenders of each tool. */
  readonly sources: readonly Source[];
  readonly runs: number;
}

interface Source {
  readonly path: string;
  /** Added to the names of the contenders, for `rowsOf`. */
  readonly suffix: string;
  /** Size of another file that has its name at the destination already: only for tools that replace it. */
  readonly replacesBytes?: number;
}

const isAble = ({ replaces = false }: Tool, { replacesBytes }: Source): boolean => replaces || replacesBytes === undefined;
const nameOf = ({ name }: Tool, { suffix }: Source): string => `${name}${suffix}`;

/** The contenders of one source, by the names of their tools. */
export const rowsOf = (measured: readonly Measured[], suffix: string): Measured[] =>
  measured.flatMap(({ name, ...rest }) => (name.endsWith(suffix) ? [{ name: name.slice(0, name.length - suffix.length), ...rest }] : []));

export const compare = async (session: Session, { title, medium, tools, sources, runs }: Comparison): Promise<Measured[]> => {
  const { signal, say } = session;
  await using stack = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  const failed: Measured[] = [];
  for (const tool of tools) {
    const scratch = stack.use(await Scratch.in(medium.directory, 'tool'));
    try {
      const open = stack.use(await tool.open({ directory: scratch.directory, signal }));
      for (const source of sources) if (isAble(tool, source)) contenders.push(contender(nameOf(tool, source), { open, source, medium }));
    } catch (error) {
      signal.throwIfAborted();
      const failure = (error as Error).message;
      say(`  ${tool.name}: could not be started: ${failure}`);
      failed.push(...sources.filter((source) => isAble(tool, source)).map((source) => ({ name: nameOf(tool, source), samples: [], failure })));
    }
  }
  say(`${title}, ${medium.name}: ${amountOf(runs, 'round')} of ${contenders.map(({ name }) => name).join('; ')}`);
  const measured = await inRounds(contenders, {
    runs, runLimitMs: session.sizes.runLimitMs, signal, onRun: (name, round, outcome) => say(`  ${round}  ${name.padEnd(24)} ${outcome instanceof Error ? outcome.message : secondsText(outcome.seconds)}`),
  });
  return [...measured, ...failed];
};

interface Parts {
  readonly open: OpenTool;
  readonly source: Source;
  readonly medium: Medium;
}

const contender = (name: string, { open, source: { path, replacesBytes }, medium }: Parts): Contender => {
  const arrived = join(open.destination, basename(path));
  return {
    name,
    before: async (signal) => {
      await rm(arrived, { recursive: true, force: true, maxRetries: 5 });
      if (replacesBytes !== undefined) await writeRandomFile(arrived, replacesBytes);
      await medium.settle(signal);
    },
    run: (signal) => open.copy({ source: path, existing: replacesBytes !== undefined, signal }),
    after: async (signal) => {
      await assertSame(path, arrived, signal);
      await rm(arrived, { recursive: true, maxRetries: 5 });
    },
  };
};
